"""A site of Django's as its users set it up behind a proxy that does the TLS: its admin, what it sees
of a request, and what reaches it of an upload. Run as a program it makes the database, in
SITE_DATABASE, and prints nothing."""

import hashlib
import os

from django.conf import settings

settings.configure(
    SECRET_KEY=os.environ["SITE_SECRET"],
    ALLOWED_HOSTS=["localhost"],
    # What this is all about: the word of the proxy, and cookies that never leave TLS.
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    SECURE_SSL_REDIRECT=True,
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
    USE_X_FORWARDED_HOST="SITE_FORWARDED_HOST" in os.environ,
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SITE_DATABASE"]}
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    # Slow on purpose is for real passwords.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
)

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()

from django.contrib import admin  # noqa: E402
from django.http import HttpResponseRedirect, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402


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

if __name__ == "__main__":
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    User.objects.create_superuser("admin", password=os.environ["SITE_PASSWORD"])
