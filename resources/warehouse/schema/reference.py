"""The reference tables: what people tell the platform and no source knows.

Here: names, keys and meanings. Not here: who writes them (``assets.reference``, ``otklik link-customers``), what the
policy says of people (``conversations.people``).
"""

from __future__ import annotations

from sqlalchemy import Index, Table

from resources.warehouse.schema.columns import day, instant, integer, json, metadata, number, text, texts

people = Table(
    "people",
    metadata,
    text("manager_id", "An account of a manager at a source (core.managers)", "pseudonym", key=True),
    text("person_id", "The person: key in the policy, or the account's id where it names none", "pseudonym"),
    text("person_name", "The person's name", "name"),
    schema="reference",
    comment="One row per account of a manager: which person it is. Several accounts may be one person",
)

person_teams = Table(
    "person_teams",
    metadata,
    text("person_id", "The person", "pseudonym", key=True),
    day("valid_from", "First local day in the team; 0001-01-01: ever since", key=True),
    text("team_id", "The team; NULL: in none", null=True),
    schema="reference",
    comment="One row per person and stay in a team; a stay ends where the next one begins",
)

customer_links = Table(
    "customer_links",
    metadata,
    text("customer_id", "A customer (core.customers) who is the same human as another", "pseudonym", key=True),
    text("same_as", "The id under which that human is judged: the smallest of his", "pseudonym"),
    text("linked_by", "list: people wrote it down; number: a telephony knows him by the number that the other has"),
    schema="reference",
    comment="One row per id of a customer who has several, all but the first: by people's list and by numbers",
)
Index("customer_links_same_as_idx", customer_links.c.same_as)

customer_list = Table(
    "customer_list",
    metadata,
    text("customer_id", "A customer (core.customers) whom people's list names", "pseudonym", key=True),
    text("same_as", "The smallest id of his human in the list; his own where he stands alone: kept apart", "pseudonym"),
    schema="reference",
    comment="One row per id in people's list of who is one human (otklik link-customers): what it says wins",
)

departments = Table(
    "departments",
    metadata,
    text("department_id", "Key in the policy", key=True),
    text("name", "The department's name"),
    text("agent_group", "Its agent group in the telephony; NULL: none", null=True),
    text("rubric_id", "By which rubric its calls are judged"),
    text("prompt_id", "By which prompt"),
    schema="reference",
    comment="One row per department of the policy",
)

offices = Table(
    "offices",
    metadata,
    text("office_id", "Code of the office", key=True),
    text("name", "The office's name"),
    schema="reference",
    comment="One row per office that the directory of operators names",
)

supervisors = Table(
    "supervisors",
    metadata,
    text("supervisor_id", "Code of the supervisor", "pseudonym", key=True),
    text("name", "Name of the supervisor", "name"),
    schema="reference",
    comment="One row per supervisor that the directory of operators names",
)

operators = Table(
    "operators",
    metadata,
    text("connection_id", "The telephony account", key=True),
    text("operator", "Id or login of the operator there, as the directory says", "pseudonym", key=True),
    day("valid_from", "First local day on which the row holds; 0001-01-01: ever since", key=True),
    text("name", "Name of the operator", "name"),
    text("department_id", "Department; NULL: in none (left)", null=True),
    text("office_id", "Office", null=True),
    text("supervisor_id", "Supervisor", "pseudonym", null=True),
    text("phone", "Own number, digits: a call with it is among colleagues", "contact", null=True),
    text("source", "file or sheet: where the row came from"),
    schema="reference",
    comment="One row per operator and stay; a stay ends where the next one begins",
)

rubrics = Table(
    "rubrics",
    metadata,
    text("rubric_id", "Name of the rubric", key=True),
    integer("version", "Counts changes of content, from 1", "version", key=True),
    text("content_hash", "sha256 of the criteria as canonical JSON"),
    json("criteria", "The criteria, in order", "none"),
    json("diff", "What changed against the version before: added, removed, changed codes", "none", null=True),
    text("source", "sheet or file"),
    instant("taken_at", "When this version was first seen"),
    schema="reference",
    comment="One row per rubric and version: snapshots of the checklists",
)

instructions = Table(
    "instructions",
    metadata,
    text("instructions_id", "Name of the tab that holds them", key=True),
    integer("version", "Counts changes of content, from 1", "version", key=True),
    text("content_hash", "sha256 of the text"),
    text("content", "Further instructions for the judge"),
    json("diff", "Lines added and removed against the version before", "none", null=True),
    instant("taken_at", "When this version was first seen"),
    schema="reference",
    comment="One row per text of instructions and version: snapshots of the sheet",
)

requirement_looks = Table(
    "requirement_looks",
    metadata,
    text("tab", "Tab of the requirements' spreadsheet, or the file", key=True),
    text("kind", "criteria, instructions or operators"),
    text("state", "ok, broken or refused"),
    text("reason", "Why not ok: codes and places, no content", null=True),
    integer("version", "The version in force, NULL: none yet", "version", null=True),
    instant("looked_at", "When it was last read"),
    schema="reference",
    comment="One row per tab: how the last reading went; the last good version stays in force whatever happens",
)

labels = Table(
    "labels",
    metadata,
    text("subject_id", "The call or session", "pseudonym", key=True),
    text("rubric_id", "The rubric", key=True),
    integer("rubric_version", "Its version", "version", key=True),
    text("prompt_hash", "The prompt that is measured: a new prompt starts without labels", key=True),
    text("model", "The model that is measured: a new model starts without labels", key=True),
    text("criterion", "The criterion's code", key=True),
    text("grader", "Who graded, by a code", "pseudonym", key=True),
    text("subject_kind", "call or session"),
    integer("given", "The grader's mark; NULL: he saw no ground for one", "marks", null=True),
    text("not_given", "not_applicable or insufficient_evidence, where there is no mark", null=True),
    instant("labelled_at", "When it was imported"),
    schema="reference",
    comment="One row per item, criterion and human grader, for one judge: what the judge is measured against",
)

criterion_gates = Table(
    "criterion_gates",
    metadata,
    text("rubric_id", "The rubric", key=True),
    integer("rubric_version", "Its version", "version", key=True),
    text("criterion", "The criterion's code", key=True),
    text("prompt_hash", "The prompt that was measured", key=True),
    text("model", "The model that was measured", key=True),
    text("state", "calibration, not_published, published or counted (contract, section 10)"),
    texts("reasons", "What keeps it from the next state: codes; empty: nothing does", null=True),
    integer("labelled", "Items that both people and the judge have marked", "items"),
    integer("human_items", "Of these, items that two graders or more have marked", "items", null=True),
    number("kappa", "Quadratic-weighted kappa of judge and people", "kappa", null=True),
    number("kappa_low", "Lower end of its 95 % bootstrap interval", "kappa", null=True),
    number("kappa_high", "Upper end", "kappa", null=True),
    number("alpha", "Krippendorff's alpha (ordinal) of judge and people", "alpha", null=True),
    number("ac1", "Gwet's AC1 of judge and people", "ac1", null=True),
    number("human_kappa", "Quadratic-weighted kappa between the human graders", "kappa", null=True),
    integer("repeated", "Answers that the judge was asked for a second time", "answers", null=True),
    number("flip_rate", "Share of these that came out otherwise", "share", null=True),
    integer("answers", "Answers of this judge on the criterion, labelled or not", "answers", null=True),
    number(
        "verified_share", "Share of its marks above 0 and automatic fails with a verified quote", "share", null=True
    ),
    number("insufficient_share", "Share of answers without enough evidence", "share", null=True),
    instant("measured_at", "When it was computed"),
    instant("fell_at", "When it fell from counted to a lower state; NULL: it has not, or is counted again", null=True),
    schema="reference",
    comment="One row per criterion, prompt and model that was measured against people; without a row: calibration",
)
