"""``otklik doctor``: is everything there that calls and their judging need? A part of its table.

Here: telephony's settings, prompts, checklists, the model's address, key and price. Not here: access to telephony (it
is one of the accounts), the table itself (``doctor``). Nothing is bought and nothing is written.

What keeps talk from being judged is a warning and refuses no start: what is loaded does not depend on it, and rules
judge without a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conversations.messages import Doctor, Requirements, ScoringDoctor, number
from orchestration.cli.findings import SHOWN_ACCOUNTS, Finding, failed

if TYPE_CHECKING:
    from conversations.policy import Policy
    from resources.settings import Settings

DEADLINE_SECONDS = 15.0


def scoring_checks(settings: Settings) -> Iterator[Finding]:
    """Nothing where the policy cannot be read: that is a finding of its own, and everything here follows from it."""
    from conversations.policy import Policy, PolicyError

    yield from _telephony(settings)
    try:
        policy = Policy.load(settings.policy_path)
    except (PolicyError, OSError):
        return
    prompts = _prompts_of(policy)
    if not prompts:
        return
    yield _prompts(settings, prompts)
    yield _requirements(settings, policy)
    yield _model(settings, policy)


def _prompts_of(policy: Policy) -> list[str]:
    """What talk is judged by; empty: nothing is judged."""
    named = [one.prompt for one in policy.departments.values()] if policy.scoring.calls_enabled else []
    if policy.scoring.chats.enabled:
        named.append(policy.scoring.chats.prompt)
    return list(dict.fromkeys(named))


def _telephony(settings: Settings) -> Iterator[Finding]:
    """What the variables say of the telephony, if anything; what is stored was looked at when it was stored."""
    given = {
        "TBANK_BASE_URL": settings.tbank_base_url,
        "TBANK_LOGIN": settings.tbank_login,
        "TBANK_PASSWORD": settings.tbank_password,
    }
    missing = [name for name, value in given.items() if not value]
    if len(missing) == len(given):
        return
    path = settings.tbank_login_path
    if missing:
        yield Finding("telephony", "failed", Doctor.MISSING.format(", ".join(missing)))
    elif not path.startswith("/"):
        yield Finding("telephony", "failed", ScoringDoctor.LOGIN_PATH.format(path))
    else:
        host = urlsplit(settings.tbank_base_url or "").hostname or ""
        yield Finding("telephony", "ok" if host else "failed", ScoringDoctor.TELEPHONY.format(host, path))


def _prompts(settings: Settings, prompts: list[str]) -> Finding:
    from resources.prompts import PromptError, prompt_in_force

    found = []
    for name in prompts:
        try:
            prompt = prompt_in_force(name, settings.otklik_prompts_dir)
        except (PromptError, OSError) as error:
            return Finding("prompts", "warning", str(error))
        found.append(f"{prompt.prompt_id} v{prompt.version}")
    return Finding("prompts", "ok", ScoringDoctor.PROMPTS.format(number(len(found)), ", ".join(found)))


def _requirements(settings: Settings, policy: Policy) -> Finding:
    """A tab or file that cannot be used leaves the last good version in force."""
    from contextlib import ExitStack

    from resources.requirements import look_at_requirements
    from resources.warehouse.engine import Warehouse

    try:
        with ExitStack() as closing:
            # an unreachable database has told that itself: files can be read without
            warehouse = closing.enter_context(Warehouse.open(settings)) if settings.has_database else None
            looks = look_at_requirements(warehouse, policy, settings)
    except Exception as error:
        return _warning("requirements", error)
    bad = [look for look in looks if look.state != "ok"]
    if not bad:
        return Finding("requirements", "ok", ScoringDoctor.REQUIREMENTS.format(number(len(looks))))
    told = [
        Requirements.REASON.format(place=look.place, what=Requirements.reason(look.reason or ""))
        for look in bad[:SHOWN_ACCOUNTS]
    ]
    return Finding("requirements", "warning", "; ".join([*told, ScoringDoctor.LAST_GOOD]))


def _model(settings: Settings, policy: Policy) -> Finding:
    from resources.lexicons import load_lexicon
    from resources.scoring.making import scorer_of

    try:
        scorer = scorer_of(settings, policy, load_lexicon(settings))
    except Exception as error:
        return _warning("model", error)
    if scorer.open_door is None:
        return Finding("model", "skipped", ScoringDoctor.NO_KEY)
    return _asked(settings)


def _asked(settings: Settings) -> Finding:
    """Whether the gateway takes the key: its list of models costs nothing. A gateway that has none is not blamed."""
    from resources.clients.errors import Forbidden, NeedsAuth, NotFound, SourceError, TransientError
    from resources.clients.http import HttpClient, Limits

    model, address, key = settings.llm_model, settings.llm_base_url, settings.llm_api_key
    if not address or key is None:
        return Finding("model", "ok", ScoringDoctor.MODEL.format(model, ScoringDoctor.NOT_ASKED))
    limits = Limits(
        connect_seconds=settings.http_connect_timeout_seconds, deadline_seconds=DEADLINE_SECONDS, attempts=2
    )
    said = ScoringDoctor.ANSWERS
    try:
        headers = {"Authorization": f"Bearer {key.get_secret_value().strip()}"}
        client = HttpClient("llm", address.rstrip("/"), headers=headers, limits=limits)
        try:
            client.get("/models", expect=dict, page="models")
        finally:
            client.close()
    except (NeedsAuth, Forbidden):
        return Finding("model", "warning", ScoringDoctor.KEY_REFUSED.format(model))
    except NotFound:
        said = ScoringDoctor.NOT_ASKED
    except TransientError as error:
        host = urlsplit(address).hostname or ""
        return Finding("model", "warning", ScoringDoctor.NO_ANSWER.format(model, host, error.reason))
    except SourceError as error:
        return _warning("model", error)
    return Finding("model", "ok", ScoringDoctor.MODEL.format(model, said))


def _warning(check: str, error: Exception) -> Finding:
    """What went wrong, with what the error itself says to do: "set the key" helps nobody who lacks a price."""
    finding = failed(check, error)
    remedy = getattr(error, "remedy", "")
    return Finding(check, "warning", f"{finding.detail}. {remedy}" if remedy else finding.detail)
