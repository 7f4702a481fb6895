"""What a failed publication says to the readers of Monday's digest: that it is late, and why, once (promise F29).

Here: when that is said and in which words. Not here: how it is queued (``resources.digest``); what is said in the
spreadsheet (``stale``).
"""

from __future__ import annotations

from collections.abc import Sequence

from assets.failures import Context, tell
from assets.partitions import TIME_ZONE
from conversations.messages.alerts import cause
from conversations.messages.digest import Digests
from conversations.policy import Policy, PolicyError
from conversations.policy_alerts import Area
from resources import digest
from resources.accounts import telegram_account
from resources.settings import Settings
from resources.warehouse.roles import Role
from resources.warehouse_resource import WarehouseResource


def say_late(
    context: Context, warehouse: WarehouseResource, weeks: Sequence[str], code: str, area: Area = "marts"
) -> None:
    """Queue the short message if one of the weeks is the one that is told by itself; never raises.

    The chat in which the owner of the failed part is told of the incident is not told twice, as the watch does it.

    Args:
        code: why the publication failed, for machines.
        area: which part of the platform failed.
    """
    try:
        settings = Settings()
        week = digest.is_due(settings, TIME_ZONE, weeks)
        policy = _policy(settings)
        if week is None or not policy.digest.enabled:
            return
        with warehouse.open().connect("otklik-accounts") as connection:
            to = digest.addressed(settings, policy, connection)
            bot = telegram_account(settings, connection)
        told = policy.owners.named(policy.owners.key_of(area)).chat or (bot.chat_id if bot is not None else None)
        to = to._replace(chats=tuple(chat for chat in to.chats if chat != told))
        why = Digests.LATE_CHECK if code == "failed_check" else cause(code)
        digest.enqueue_late(warehouse.open(Role.PUBLISHER), week, to, why)
    except Exception as error:
        # the error of the publication is the one to see; the watch says the same at the latest hour
        context.log.warning(f"Nobody could be told that the digest is late: {tell(context, error)[0]}")


def _policy(settings: Settings) -> Policy:
    try:
        return Policy.load(settings.policy_path)
    except PolicyError:
        # it may be the very reason of the failure
        return Policy.default()
