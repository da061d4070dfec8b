"""The pages, and what they load."""

from django.urls import path

from fleet import views

urlpatterns = [
    path("", views.fleet, name="fleet"),
    path("synchronise/", views.synchronise, name="synchronise"),
    path("machines/<str:viam_id>/", views.machine, name="machine"),
    path("machines/<str:viam_id>/log/", views.log, name="log"),
    path("pictures/<path:picture_id>", views.picture, name="picture"),
]
