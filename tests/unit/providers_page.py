"""Writes `docs/providers.md` from the adapters and the catalogue: `python -m tests.unit.providers_page`."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from lib.domain.capabilities import ModelCapabilities, ProviderCapabilities, Submitting, capabilities_of
from lib.domain.model_ranges import FieldRange
from lib.domain.provider import Credential, SubmitSafety, WebhookProof
from lib.ports.provider import ProviderAdapter
from lib.providers.registry import ADAPTERS, load_adapter
from lib.stores.models_source import load_catalogue
from tests.fakes.google_keys import key_file

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"

INTRODUCTION = """# The providers

<!-- Written by `python -m tests.unit.providers_page` from the adapters and the catalogue; a test compares them. -->

What follows is what the code knows, and decides by: the traits of each adapter (`lib/providers/`) and the catalogue
(`config/models/`). `GET /providers` shows a caller which of these can be used and with whose key, and
`GET /providers/{provider}/capabilities` says of one what stands here. An operator adds others by
[an entry of JSON](adding-a-provider.md#a-provider-that-is-all-data), developers by an adapter. Parameters and prices of
each model are in [models.md](models.md); how a request finds its model is in [gateway.md](gateway.md).

* **How results come**: the provider calls back (`webhook`, and is asked where it stays silent), is asked (`poll`), or
  gives them in its answer (`synchronous`: such jobs wait in a queue of their own, so that no caller waits for them).
* **A submit that nobody answered** may have been taken. It is sent again only where that is safe: with an idempotency
  key or an id of ours. Else it is claimed by the provider's webhook, whose address names the attempt, or found in the
  provider's list; where there is neither, it ends at the job's deadline, and is never sent twice.
* **Output life** is how long the provider keeps what it made; the gateway copies it at once. "in the answer" is kept
  nowhere else.
* **Limit** is what the gateway keeps to for one key, such that no stretch of time has more than the provider documents
  (Replicate: 600 in a minute; Vertex AI: 50 in a minute; Stability: 150 in ten seconds, polls counted). Without one,
  `Retry-After` and 429 are obeyed.
"""

ANSWERS = {
    SubmitSafety.IDEMPOTENCY_KEY: "sent again: idempotency key",
    SubmitSafety.OWN_ID: "sent again: an id of ours",
}


def render() -> str:
    """The whole page."""
    providers = [(_capabilities(name), load_adapter(name)) for name in ADAPTERS]
    lines = [INTRODUCTION, *_overview(providers), *_keys(providers)]
    for provider, _ in providers:
        lines += _section(provider)
    return "\n".join(lines)


def _capabilities(name: str) -> ProviderCapabilities:
    adapter = load_adapter(name)
    catalogue = load_catalogue("config/models")
    return capabilities_of(name, ADAPTERS[name].title, adapter.traits, adapter.is_synchronous, catalogue)


def _overview(providers: list[tuple[ProviderCapabilities, ProviderAdapter]]) -> Iterator[str]:
    yield "| provider | makes | results come by | an unanswered submit | cancel | output life | limit |"
    yield "|---|---|---|---|---|---|---|"
    for one, _ in providers:
        cells = (
            f"[{one.name}](#{one.provider}) `{one.provider}`",
            ", ".join(one.media_types) or "what you serve",
            _submitting(one),
            unanswered(one),
            "yes" if one.cancel else "no: a cancelled job's result is dropped",
            _life(one),
            f"{one.rate_limit.per_minute:g} a minute, {one.rate_limit.burst} at once"
            if one.rate_limit
            else "",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _submitting(one: ProviderCapabilities) -> str:
    words = [str(way) for way in one.submitting] or ["webhook" if one.webhooks else "poll"]
    proofs = {
        WebhookProof.SIGNATURE: " (signed)",
        WebhookProof.TOKEN: " (by the token in its address)",
        WebhookProof.NONE: "",
    }
    return " or ".join(
        word + (proofs[one.webhook_proof] if word == Submitting.WEBHOOK else "") for word in words
    )


def unanswered(one: ProviderCapabilities) -> str:
    """What becomes of a submit whose answer is not known."""
    if one.submit_safety in ANSWERS:
        return ANSWERS[one.submit_safety]
    claims = [
        *(["claimed by its webhook"] if one.webhooks else []),
        *(["found in the list"] if one.recover else []),
    ]
    return " or ".join(claims) or "cannot be claimed: ends at the deadline"


def _life(one: ProviderCapabilities) -> str:
    if one.uploads:
        return "put into our bucket, or " + _time(one.output_life_s)
    return _time(one.output_life_s)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "in the answer"
    hours = seconds / 3600
    return f"{hours:g} h" if hours < 48 else f"{hours / 24:g} days"


def _keys(providers: list[tuple[ProviderCapabilities, ProviderAdapter]]) -> Iterator[str]:
    yield "## Keys"
    yield ""
    yield (
        "A key of a user's own is put at `PUT /providers/{provider}/credentials` by the names below; the operator's\n"
        "is the secret `vsl/{stage}/providers/{provider}` (plain, or JSON by the same names), or the variable on a\n"
        "laptop. The test is a call that costs nothing: `POST /providers/{provider}/test`."
    )
    yield ""
    yield "| provider | a key consists of | users' own | variable | test |"
    yield "|---|---|---|---|---|"
    for one, adapter in providers:
        parts = "; ".join(
            f"`{part.name}`{'' if part.required else ' (optional)'}: {part.description}"
            for part in one.credentials
        )
        cells = (
            f"`{one.provider}`",
            parts,
            "yes" if one.own_credentials else "no",
            f"`{ADAPTERS[one.provider].variable}`",
            _test(one, adapter),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _test(one: ProviderCapabilities, adapter: ProviderAdapter) -> str:
    first = one.credentials[0]
    secret = key_file() if first.name == "serviceAccount" else "an-example-of-a-key"
    request = adapter.test_request(Credential(one.provider, secret, extra={"accessToken": "an-example"}))
    if request is None:
        return "none"
    address = urlsplit(request.url)
    return f"`{request.method} {address.path}{'?' + address.query if address.query else ''}`"


def _section(one: ProviderCapabilities) -> Iterator[str]:
    yield f'## <a id="{one.provider}"></a>{one.name}'
    yield ""
    if not one.models:
        yield "No model of it is shipped."
        yield ""
        return
    yield "| model | makes | result by | key | falls back to | standard requests |"
    yield "|---|---|---|---|---|---|"
    for model in one.models:
        cells = (
            f"[`{model.model_id}`](models.md#{model.model_id.replace('.', '')})",  # as GitHub makes anchors of headings
            model.media_type.value,
            model.submitting.value,
            model.credentials.value.replace("_", " "),
            ", ".join(f"`{other}`" for other in model.fallbacks),
            _standard(model),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _standard(model: ModelCapabilities) -> str:
    if not model.standard:
        return "none: it needs parameters of its own"
    told = [_field(one) for one in model.standard if one.field != "prompt"]
    return "; ".join(word for word in told if word)


def _field(one: FieldRange) -> str:
    if one.field == "seed":
        return "seed"
    if one.field in ("image", "lastImage", "images"):
        most = f", up to {one.maximum:g}" if one.maximum != 1 else ""
        return f"**{one.field}** (required){most}" if one.required else f"{one.field}{most}"
    if one.how == "ignored":
        return f"{one.field}: ignored"
    if one.how == "into_text":
        return f"{one.field}: into the prompt"
    if one.values:
        return f"{one.field}: {', '.join(str(value) for value in one.values)}{_nearest(one)}"
    if one.minimum is not None and one.maximum is not None:
        return f"{one.field}: {one.minimum:g} to {one.maximum:.10g}{_nearest(one)}"
    return one.field


def _nearest(one: FieldRange) -> str:
    return " (the nearest)" if one.how == "nearest" else ""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
