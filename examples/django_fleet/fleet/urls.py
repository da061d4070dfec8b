"""The pages, and what they load."""

from django.urls import path

from fleet import views

urlpatterns = [
    path("", views.show_fleet, name="fleet"),
    path("synchronise/", views.synchronise, name="synchronise"),
    path("machines/<str:viam_id>/", views.show_machine, name="machine"),
    path("machines/<str:viam_id>/log/", views.send_log, name="log"),
    path("pictures/<path:picture_id>", views.send_picture, name="picture"),
]
