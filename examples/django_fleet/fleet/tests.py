"""The tests: ``python manage.py test``. Each has a fresh sandbox, and needs no account."""

from django.urls import reverse
from django.utils import timezone

from fleet.log_events import log_events
from fleet.models import Machine, synchronise_machines
from viam_sync.django import SandboxTestCase


class FleetTest(SandboxTestCase):
    def setUp(self) -> None:
        synchronise_machines()
        self.rover = Machine.objects.get(name="rover")
        self.page = reverse("machine", args=[self.rover.viam_id])

    def test_the_fleet_is_that_of_the_account(self) -> None:
        self.viam_client.app_client.new_robot("mower", self.sandbox.location_id)
        self.viam_client.app_client.delete_robot(self.rover.viam_id)
        response = self.client.post(reverse("synchronise"), follow=True)
        self.assertEqual([machine.name for machine in response.context["machines"]], ["plant-watcher", "arm", "mower"])

    def test_a_machine_that_is_online_is_shown_so(self) -> None:
        Machine.objects.filter(pk=self.rover.pk).update(online=True, last_seen=timezone.now())
        self.assertContains(self.client.get("/"), "online</span>", count=1)

    def test_a_machine_has_charts_and_pictures_with_boxes(self) -> None:
        watcher = Machine.objects.get(name="plant-watcher")
        response = self.client.get(reverse("machine", args=[watcher.viam_id]))
        self.assertContains(response, "<polyline", count=3)
        self.assertContains(response, "air temperature: ")
        self.assertContains(response, 'class="box"')
        picture = response.context["pictures"][0]
        response = self.client.get(reverse("picture", args=[picture.id]))
        self.assertEqual(response["Content-Type"], "image/png")
        self.assertTrue(response.content.startswith(b"\x89PNG"))

    def test_a_machine_is_renamed_in_the_cloud(self) -> None:
        response = self.client.post(self.page, {"name": "wanderer"}, follow=True)
        self.assertContains(response, "<h1>wanderer</h1>")
        self.assertEqual(self.viam_client.app_client.get_robot(self.rover.viam_id).name, "wanderer")

    def test_a_name_that_the_cloud_refuses_is_an_error_of_the_form(self) -> None:
        response = self.client.post(self.page, {"name": "arm"})
        self.assertContains(response, "choose another name")
        self.assertContains(response, "<h1>rover</h1>")

    def test_a_cloud_that_fails_has_a_page(self) -> None:
        self.sandbox.faults.fail("TabularDataByFilter", "PERMISSION_DENIED")
        self.assertContains(self.client.get(self.page), "The cloud says no", status_code=502)

    def test_new_lines_of_the_log_are_events(self) -> None:
        events = log_events(self.rover.part_id)
        self.assertEqual(next(events), ": here it begins\n\n")
        self.sandbox.wait_for_tail(self.rover.part_id)
        self.sandbox.log(self.rover.part_id, "The motor stalled")
        self.assertIn("rdk: The motor stalled", next(events))
        events.close()

    def test_a_log_that_cannot_be_followed_says_why(self) -> None:
        events = log_events("5b6f4a0e-7c1d-4e2b-9a3f-0d8c6b5a4e3f")
        next(events)
        self.assertIn("event: failure\n", next(events))
        events.close()

    def test_a_quiet_log_sends_comments(self) -> None:
        events = log_events(self.rover.part_id, quiet=0)
        self.assertEqual([next(events), next(events)], [": here it begins\n\n", ": nothing new\n\n"])
        events.close()
