"""The machines, as ``manage.py viam_sync_machines`` writes them."""

from django.core.management import call_command
from django.db import models


class Machine(models.Model):
    """A machine of the account, as it was when the fleet was last synchronised."""

    viam_id = models.CharField(max_length=36, unique=True)
    part_id = models.CharField(max_length=36, blank=True)
    name = models.CharField(max_length=200)
    location = models.CharField(max_length=200)
    online = models.BooleanField(default=False)
    last_seen = models.DateTimeField(null=True)

    class Meta:
        ordering = ["location", "name"]

    def __str__(self) -> str:
        return str(self.name)


def synchronise_machines() -> None:
    """Make the objects those of the account; a CommandError says why that fails."""
    fields = ["viam_id=id", "part_id=part.id", "name=name", "location=location.name"]
    fields += ["online=online", "last_seen=last_access"]
    call_command("viam_sync_machines", "--model", "fleet.Machine", "--delete", "--map", *fields, verbosity=0)
