"""The table of machines."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Machine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("viam_id", models.CharField(max_length=36, unique=True)),
                ("part_id", models.CharField(blank=True, max_length=36)),
                ("name", models.CharField(max_length=200)),
                ("location", models.CharField(max_length=200)),
                ("online", models.BooleanField(default=False)),
                ("last_seen", models.DateTimeField(null=True)),
            ],
            options={"ordering": ["location", "name"]},
        ),
    ]
