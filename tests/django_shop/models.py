"""What a project keeps of its machines."""

from django.db import models


class Machine(models.Model):
    viam_id = models.CharField(max_length=36, unique=True, null=True)
    name = models.CharField(max_length=60)
    location = models.CharField(max_length=60, default="")
    part_id = models.CharField(max_length=36, default="")
    last_seen = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)
    note = models.CharField(max_length=60, default="")
    saved = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class Reading(models.Model):
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE)
    component = models.CharField(max_length=60)
    time = models.DateTimeField()
    temperature = models.FloatField(null=True)
    saved = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["machine", "component", "time"], name="one_reading")]


class LooseReading(models.Model):
    time = models.DateTimeField()
    temperature = models.IntegerField()
