"""The pages: the fleet, a machine, and its pictures and log."""

from django import forms
from django.core.management import CommandError
from django.db import close_old_connections
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fleet.charts import charts_of
from fleet.log_events import last_lines, log_events
from fleet.models import Machine, synchronise_machines
from fleet.pictures import PICTURE_TYPES, pictures_of
from viam_sync import GRPCError
from viam_sync.django import client


class RenameForm(forms.Form):
    name = forms.CharField(max_length=200)


@require_GET
def show_fleet(request: HttpRequest) -> HttpResponse:
    return render(request, "fleet/fleet.html", {"machines": Machine.objects.all()})


@require_POST
def synchronise(request: HttpRequest) -> HttpResponse:
    try:
        synchronise_machines()
    except CommandError as error:
        return render(request, "fleet/error.html", {"text": error}, status=502)
    return redirect("fleet")


@require_http_methods(["GET", "POST"])
def show_machine(request: HttpRequest, viam_id: str) -> HttpResponse:
    machine = get_object_or_404(Machine, viam_id=viam_id)
    form = RenameForm(request.POST or None, initial={"name": machine.name})
    if form.is_valid() and rename(machine, form):
        return redirect("machine", viam_id)
    about = {"charts": charts_of(viam_id), "pictures": pictures_of(viam_id), "lines": last_lines(machine.part_id)}
    return render(request, "fleet/machine.html", {"machine": machine, "form": form, **about})


def rename(machine: Machine, form: RenameForm) -> bool:
    """Rename a machine in the cloud, then here; what the cloud refuses is an error of the form."""
    try:
        machine.name = client.app_client.update_robot(machine.viam_id, form.cleaned_data["name"]).name
    except GRPCError as error:
        form.add_error("name", error.message)
        return False
    machine.save(update_fields=["name"])
    return True


@require_GET
def send_picture(request: HttpRequest, picture_id: str) -> HttpResponse:
    found = client.data_client.binary_data_by_ids([picture_id])
    if not found or found[0].metadata.capture_metadata.mime_type not in PICTURE_TYPES:
        raise Http404("there is no such picture")
    return HttpResponse(found[0].binary, content_type=found[0].metadata.capture_metadata.mime_type)


@require_GET
def send_log(request: HttpRequest, viam_id: str) -> StreamingHttpResponse:
    machine = get_object_or_404(Machine, viam_id=viam_id)
    close_old_connections()  # a log may be open for hours, and needs no database
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # the latter for nginx, which would hold it back
    return StreamingHttpResponse(log_events(machine.part_id), content_type="text/event-stream", headers=headers)
