"""The resources of production, by the names under which assets ask for them.

Here: one mapping. Not here: the resources (``resources``). None of them reads a variable before a run needs it.
"""

from __future__ import annotations

from typing import Any

from resources.llm_resource import LLMResource
from resources.retailcrm import RetailCRMResource
from resources.sheets_resource import SheetsResource
from resources.tbank import TBankResource
from resources.warehouse_resource import PolicyResource, WarehouseResource


def production_resources() -> dict[str, Any]:
    """Resource key to resource."""
    return {
        "warehouse": WarehouseResource(),
        "policy": PolicyResource(),
        "retailcrm": RetailCRMResource(),
        "tbank": TBankResource(),
        "llm": LLMResource(),
        "sheets": SheetsResource(),
    }
