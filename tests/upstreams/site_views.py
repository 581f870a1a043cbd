"""What a site of Django's shows: its admin, what it sees of a request, and what reaches it of an upload."""

import hashlib

from django.contrib import admin
from django.http import HttpResponseRedirect, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


def seen(request):
    """Everything that the app can know about where a request comes from."""
    meta = {name: value for name, value in request.META.items() if isinstance(value, str)}
    facts = {
        "secure": request.is_secure(),
        "host": request.get_host(),
        "url": request.build_absolute_uri(),
        "path": request.path,
        "meta": meta,
    }
    return JsonResponse(facts)


def away(request):
    """A redirect by a whole URL, which is where a wrong scheme shows."""
    return HttpResponseRedirect(request.build_absolute_uri("/seen"))


@csrf_exempt
def upload(request):
    file = request.FILES.get("file")
    body = file.read() if file else request.read()
    digest = hashlib.sha256(body).hexdigest()
    length = request.META.get("CONTENT_LENGTH")
    coding = request.META.get("HTTP_TRANSFER_ENCODING")
    facts = {"size": len(body), "sha256": digest, "length": length, "coding": coding}
    return JsonResponse({**facts, "name": file and file.name})


urlpatterns = [
    path("admin/", admin.site.urls),
    path("seen", seen),
    path("away", away),
    path("upload", upload),
]
