"""A page for what the cloud refuses, and for a cloud that cannot be reached."""

from typing import Callable, Optional

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from viam_sync import GRPCError


class CloudErrors:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> Optional[HttpResponse]:
        if not isinstance(exception, GRPCError):
            return None
        return render(request, "fleet/error.html", {"text": exception.message}, status=502)
