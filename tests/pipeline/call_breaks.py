"""How each check of calls is broken once: rows that contradict its name, put beside good ones of a day."""

from __future__ import annotations

_RAW = """
insert into raw.tbank__{0} (connection_id, external_id, event_at, payload, payload_hash, fetched_at, first_fetched_at)
select 'tbank', '1', max(sent_at), '{1}', '', now(), now() from core.messages
"""
_CALL = """
insert into core.channels values ('tbank:phone', 'tbank', 'phone', 'Телефон', true) on conflict do nothing;
insert into core.calls (call_id, connection_id, conversation_id, message_id, channel_id, customer_id, direction,
                        started_at, talk_seconds, is_answered, is_internal, flags, business_on, ingested_at, raw_stream,
                        raw_id)
select 'tbank:1', 'tbank', conversation_id, {message}, '{channel}', 'tbank:79', 'in', sent_at, 60, true, {internal},
    '{{}}', business_on, sent_at, 'calls', '1'
from core.messages order by sent_at desc limit 1
"""


def _call(message: str = "message_id", channel: str = "tbank:phone", internal: str = "false") -> str:
    return _CALL.format(message=message, channel=channel, internal=internal)


_TRANSCRIPT = """
insert into core.call_transcripts (call_id, connection_id, state, speakers, flags, characters, ingested_at, raw_stream,
                                   raw_id)
select call_id, connection_id, '{}', 'as_labelled', '{{}}', {}, ingested_at, 'transcripts', '1' from core.calls
"""
_ELIGIBILITY = """
insert into evaluated.call_eligibility (call_id, connection_id, business_on, is_operator_known, why_not)
select call_id, connection_id, business_on, true, {} from core.calls
"""
CALL_BREAKS: dict[str, str] = {
    "raw.tbank__calls.payloads_are_calls": _RAW.format("calls", '{"segmentId": 1}'),
    "raw.tbank__transcripts.payload_has_required_fields": _RAW.format("transcripts", '{"segmentId": 1}'),
    "raw.tbank__transcripts.transcripts_belong_to_listed_calls": _RAW.format(
        "transcripts", '{"segmentId": 1, "phrases": [], "state": "pending"}'
    ),
    "core.calls.calls_belong_to_channels": _call(channel="tbank:nowhere"),
    "core.calls.calls_are_messages": _call(message="'nowhere'"),
    "core.calls.internal_calls_are_no_messages": _call(internal="true"),
    "core.call_transcripts.ready_means_words": f"{_call()};{_TRANSCRIPT.format('ready', 0)}",
    "evaluated.call_eligibility.every_call_was_looked_at": _call(),
    "evaluated.call_eligibility.reasons_are_known": f"{_call()};{_ELIGIBILITY.format(chr(39) + 'because' + chr(39))}",
    "evaluated.call_eligibility.judged_calls_have_words": f"{_call()};{_ELIGIBILITY.format('null')}",
}
