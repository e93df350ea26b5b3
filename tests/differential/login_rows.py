"""What registries and token services do about logins, a row each; see registry_rows."""
import base64
import functools
import json

from registry_rows import Answer, first, redirect, row, to_other, with_other


# Logins. The registry wants alice's.
def basic(user="alice", password="wonderland"):
    text = f"{user}:{password}".encode() if isinstance(password, str) else user.encode() + b":" + password
    return "Basic " + base64.b64encode(text).decode()


def auths(key="{host}", **entry):
    return lambda registry: {"auths": {key.format(host=registry.host): entry}}


def logged_in(user="alice", password="wonderland", **more):
    return auths(auth=basic(user, password)[6:], **more)


def wants_basic(login=None, challenge='Basic realm="x"'):
    def answer(registry, request):
        if request.login != (login or basic()):
            return Answer(401, {"WWW-Authenticate": challenge})
    return answer


BASIC = first(wants_basic())
row("a login", "pulled", BASIC, logged_in())
row("a login by user and password apart", "pulled", BASIC, auths(username="alice", password="wonderland"))
row("no login", "refused", BASIC, says="asks for a user and password; give them by DOCKER_CONFIG")
row("a wrong password", "refused", BASIC, logged_in(password="guess"), says="answered 401")
for password in ("with:colon", ":", "mit ümlaut", b"\xff\xfe", "a b"):
    row(f"the password {password!r}", "pulled", first(wants_basic(basic(password=password))),
        logged_in(password=password))
row("a password with zero bytes behind", "pulled", BASIC, logged_in(password="wonderland\0\0"))
for challenge in ("BASIC realm=x", "Basic", 'basic realm="a, b", charset="UTF-8"'):
    row(f"the challenge {challenge}", "pulled", first(wants_basic(challenge=challenge)), logged_in())
row("the challenge Negotiate", "refused", first(wants_basic(challenge="Negotiate")), logged_in())
for key in ("http://{host}", "https://{host}/v1/", "{host}/", "HTTPS://{host}/v2/"):
    row(f"a login to {key}", "pulled", BASIC, auths(key, auth=basic()[6:]))
row("a login to another port", "refused", BASIC, auths("127.0.0.1:1", auth=basic()[6:]))
row("a config.json in odd case", "pulled", BASIC,
    lambda registry: {"Auths": {registry.host: {"AUTH": basic()[6:], "email": None}, "other": None}})
row("a login that is no base64", "refused", None, auths(auth="???"),
    argued="a login that cannot be read is an error, not a warning and a pull without it")


def helper(script, store=False, **more):
    """Arguments of row() for a helper, of the host or of all hosts."""
    return {"config": lambda registry: {**({"credsStore": "x"} if store else {"credHelpers": {registry.host: "x"}}), **{
        key: value(registry) if callable(value) else value for key, value in more.items()}},
            "helpers": lambda registry: {"x": script}}


GIVES = "echo '{\"ServerURL\": \"x\", \"Username\": \"alice\", \"Secret\": \"wonderland\"}'"
row("a helper", "pulled", BASIC, **helper(GIVES))
row("a helper of all hosts", "pulled", BASIC, **helper(GIVES, store=True))
row("a helper in odd case", "pulled", BASIC, **helper("echo '{\"username\": \"alice\", \"SECRET\": \"wonderland\"}'"))
row("a helper that fails", "refused", BASIC, **helper("echo no bus; exit 3"), says="exited with 3: no bus")
row("a helper that gives no JSON", "refused", BASIC, **helper("echo none"))
row("a helper that has nothing", "refused", BASIC,
    **helper("echo credentials not found in native keychain; exit 1", store=True,
             auths=lambda registry: {registry.host: {"auth": basic()[6:]}}), says="asks for a user and password")
row("a helper that is not there", "refused", BASIC, lambda registry: {"credsStore": "absent"}, says="not on PATH")
row("a helper that fails, for a registry that wants no login", "pulled", **helper("exit 3", store=True))
row("a helper without a name", "pulled", BASIC, lambda registry: {
    "credHelpers": {registry.host: ""}, "credsStore": "absent", "auths": {registry.host: {"auth": basic()[6:]}}})

row("a login and a redirect to another port", "pulled",
    with_other(lambda registry, request: Answer(400) if request.login else None, lambda registry: functools.partial(
        lambda registry, request: wants_basic()(registry, request) or redirect(to_other)(registry)(request), registry)),
    logged_in(), argued="a login goes to nobody whom the registry redirects to; BuildKit's goes to other ports of a host")
row("a redirect to who wants a login that there is", "refused", with_other(
    lambda registry, request: wants_basic()(registry, request), redirect(to_other)),
    lambda registry: {"auths": {registry.other.host: {"auth": basic()[6:]}}}, says="asks for a login that it cannot have",
    argued="a registry may send anybody's build to any server, whose login is not its to use")


# Tokens. The registry wants "t1", which its service gives to those whom `who` lets in.
def service(registry, request, answer=None, who=lambda request: True):
    if request.path != "/token":
        return None
    if not who(request):
        return Answer(401)
    return answer(registry, request) if callable(answer) else Answer(
        200, {"Content-Type": "application/json"}, json.dumps({"token": "t1"} if answer is None else answer))


def tokens(challenge='realm="{url}/token",service="s",scope="repository:app:pull"', answer=None,
           who=lambda request: True, token="t1"):
    def of_both(registry, request):
        given = service(registry, request, answer, who)
        if given or request.login == "Bearer " + token:
            return given
        return Answer(401, {"WWW-Authenticate": "Bearer " + challenge.format(url=registry.url)})
    return first(of_both)


row("a token", "pulled", tokens())
row("a token called access_token", "pulled", tokens(answer={"access_token": "t1"}))
row("a token by both names", "pulled", tokens(answer={"access_token": "t1", "token": "t2"}))
row("a token in odd case", "pulled", tokens(answer={"Token": "t1"}))
row("no token", "refused", tokens(answer={"expires_in": 300}), says="sent no usable token")
row("a token with a line break", "refused", tokens(answer={"token": "t1\r\nX: y"}))
row("a token that is no JSON", "refused", tokens(answer=lambda registry, request: Answer(200, {}, "t1")))
row("a token that expires at once", "pulled", tokens(answer={"token": "t1", "expires_in": 0}))
for odd in ({"expires_in": "300"}, {"issued_at": "yesterday"}):
    row(f"a token with {json.dumps(odd)}", "pulled", tokens(answer={"token": "t1", **odd}),
        argued="nobody here asks when a token expires: the registry says so")
row("a token service that is down once", "pulled", tokens(
    answer=lambda registry, request: Answer(500) if request.number == 0 else Answer(200, {}, '{"token": "t1"}')))
row("a token service that refuses", "refused", tokens(who=lambda request: False), says="asks for a login")
row("a token service that is not there", "refused", tokens('realm="http://127.0.0.1:1/token"'),
    says="Connection refused")
row("a token service that redirects", "pulled", tokens(
    answer=lambda registry, request: Answer(200, {}, '{"token": "t1"}') if request.query.endswith("again")
    else Answer(302, {"Location": "/token?again"})))
for challenge, want in (('realm="{url}/token"', "pulled"), ("realm={url}/token,service=s", "refused"),
                        ('realm="{url}/token?account=x",service="s"', "pulled"), ('realm="/token"', "refused"),
                        ('service="s"', "refused"), ('realm = "{url}/token"', "refused"),
                        ('REALM="{url}/token"', "pulled"), ('realm="{url}/to\\ken"', "pulled")):
    loose = want == "refused" and "url" in challenge
    row(f"the challenge Bearer {challenge}", "pulled" if loose else want, tokens(challenge),
        argued="what cannot mean anything else is taken, as by other clients" if loose else "")


def asks_for(**wanted):
    return lambda request: all(sorted(request.parameters.get(key, []) or " ".join(request.form.get(key, [])).split())
                               == value for key, value in wanted.items())


OWN = "repository:app:pull"
for scope, asked in (("", [OWN]), ("repository:other:pull", [OWN, "repository:other:pull"]),
                     ("repository:app:push,pull", ["repository:app:pull,push"]),
                     ("registry:catalog:* repository:app:pull", ["registry:catalog:*", OWN])):
    row(f"the scope {scope!r}", "pulled",
        tokens(f'realm="{{url}}/token",service="s",scope="{scope}"', who=asks_for(scope=asked)))
for name in ("a & b", "ä", "a+b", "a\\\"b"):
    row(f"the service {name!r}", "pulled", tokens(
        f'realm="{{url}}/token",service="{name}"'.encode().decode("latin-1"),
        who=lambda request, name=name: request.parameters.get("service") == [name.replace("\\", "")]))


def by(method, also=404, login=None):
    """A service that knows one method alone."""
    def answer(registry, request):
        good = Answer(200, {}, '{"token": "t1", "access_token": "t1"}')
        if request.method != method:
            return Answer(also)
        if method == "GET":
            return good if request.login == (login or basic()) else Answer(401)
        secret = request.form.get("password") or request.form.get("refresh_token")
        return good if secret in (["wonderland"], ["identity"]) else Answer(401)
    return answer


for method in ("GET", "POST"):
    for also in (401, 404, 405):
        row(f"a token by {method} alone, else {also}", "pulled", tokens(answer=by(method, also)), logged_in())
for also in (400, 403):
    row(f"a token by GET alone, else {also}", "pulled", tokens(answer=by("GET", also)), logged_in(),
        argued="the native engine asks by GET first, which all services know")
IDENTITY = auths(identitytoken="identity")
row("an identity token", "pulled", tokens(answer=by("POST")), IDENTITY)
row("an identity token beside a user", "pulled", tokens(answer=by("POST")),
    auths(auth=basic("00000000-0000-0000-0000-000000000000", "")[6:], identitytoken="identity"))
row("an identity token by GET alone", "pulled", tokens(answer=by("GET", 404, basic("", "identity"))), IDENTITY)
row("an identity token for a registry that wants a password", "refused", BASIC, IDENTITY)
row("an identity token of a helper", "pulled", tokens(answer=by("POST")),
    **helper("echo '{\"Username\": \"<token>\", \"Secret\": \"identity\"}'"))
row("a token of the registry in config.json", "pulled", tokens(answer=lambda registry, request: Answer(401)),
    auths(registrytoken="t1"))
row("a wrong password at a token service", "refused", tokens(answer=by("GET")), logged_in(password="guess"),
    says="refuses the login")


def refuses(number, error="", of="manifest"):
    """Refuses what carries a token for the `number`th time, once."""
    count = []

    def answer(registry, request):
        if request.path == "/token":
            return Answer(200, {}, '{"token": "t1"}')
        if request.login and request.kind == of:
            count.append(1)
        if request.login and (request.kind != of or len(count) != number):
            return None
        return Answer(401, {"WWW-Authenticate": f'Bearer realm="{registry.url}/token"' + error})
    return lambda registry: count.clear() or functools.partial(answer, registry)


for error in ("", ',error="invalid_token"'):
    for number, of in ((1, "manifest"), (2, "manifest"), (2, "blob")):
        row(f"a token is refused once, the {of} number {number}{error}", "pulled", refuses(number, error, of))
row("a token that lacks rights", "refused", lambda registry: functools.partial(
    lambda registry, request: service(registry, request) or Answer(
        401, {"WWW-Authenticate": f'Bearer realm="{registry.url}/token",scope="{OWN}",error="insufficient_scope"'}),
    registry), says="answered 401")
row("two challenges in two fields", "pulled", first(
    lambda registry, request: service(registry, request) or (None if request.login == "Bearer t1" else Answer(
        401, {"WWW-Authenticate": 'Basic realm="x"', "WWW-authenticate": f'Bearer realm="{registry.url}/token"'}))))
