"""The rule lab over HTTP: versions of the identity rules, preview without writing, activation."""

import uuid
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import CommandDep
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.rules import ActivateCommand, RulesCommand, RuleSetList, RuleSetShape, RulesPreview
from core.brand import BrandSettings
from core.errors import NotFoundError
from core.rules import DEFAULT_RULE_VERSION, rules_from_dict, rules_to_dict
from graph.repositories import rules as repository
from insight.rule_lab import preview_rules
from resolver.rules import RuleSet, rule_set_for

router = APIRouter(prefix="/api/identity/rules", tags=["identity"], route_class=GuardedRoute)


@router.get(
    "", summary="Versions of the rules", operation_id="list_rule_sets", responses=answers(RuleSetList, 401, 403, 503)
)
@needs("read")
def read_rule_sets(caller: CallerDep, services: ServicesDep) -> Response:
    """Every version with its rules; the active one decides."""
    stored = repository.list_rule_sets(services.graph, caller.brand)
    active = next((item["version"] for item in stored if item["is_active"]), DEFAULT_RULE_VERSION)
    built_in = {
        "version": DEFAULT_RULE_VERSION, "rules": rules_to_dict(RuleSet()), "note": "built in", "created_at": None,
        "created_by": None, "activated_at": None, "is_active": active == DEFAULT_RULE_VERSION,
    }  # fmt: skip
    return JsonAnswer({"active": active, "items": [*stored, built_in]})


@router.post(
    "/preview",
    summary="What other rules would change",
    operation_id="preview_rules",
    responses=answers(RulesPreview, 400, 401, 403, 422, 503),
)
@needs("admin")
def post_preview(body: RulesCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Replay the brand's history under the changed rules; writes nothing."""
    brand = services.directory.settings(caller.brand)
    rules = rules_from_dict(body.rules, "preview", rule_set_for(brand))
    return JsonAnswer(preview_rules(services.graph, brand, rules))


@router.post(
    "",
    summary="A new version of the rules",
    operation_id="create_rule_set",
    responses=answers(RuleSetShape, 400, 401, 403, 409, 422, 503),
)
@needs("admin")
def post_rule_set(body: RulesCommand, command: CommandDep) -> Response:
    """Store a version built on the active one; it decides nothing until it is activated."""
    brand = _brand(command)
    rules = rules_from_dict(body.rules, "new", rule_set_for(brand))

    def work() -> dict[str, Any]:
        version = repository.create_rule_set(
            command.services.graph, brand.id, rules, note=body.note, by=command.caller.key_id, op=uuid.uuid4().hex
        )
        return {"version": version, "rules": rules_to_dict(rules), "is_active": False}

    return command.run(work)


@router.post(
    "/{version}/activate",
    summary="Let a version decide",
    operation_id="activate_rule_set",
    responses=answers(RuleSetShape, 401, 403, 404, 409, 503),
)
@needs("admin")
def post_activation(version: str, command: CommandDep, body: ActivateCommand | None = None) -> Response:
    """Activate a version (or the built-in one); the one before stays and every decision keeps naming its own."""
    graph, brand = command.services.graph, command.caller.brand
    reason = (body.reason if body else None) or ""

    def work() -> dict[str, Any]:
        if version == DEFAULT_RULE_VERSION:
            repository.reset_rule_set(graph, brand)
            return {"version": version, "rules": rules_to_dict(RuleSet()), "is_active": True}
        if not repository.activate_rule_set(graph, brand, version, by=command.caller.key_id, reason=reason):
            raise NotFoundError("No such version of the rules.")
        stored = repository.list_rule_sets(graph, brand)
        rules = next(item["rules"] for item in stored if item["version"] == version)
        return {"version": version, "rules": rules, "is_active": True}

    answer = command.run(work)
    command.services.directory.forget_settings(brand)
    return answer


def _brand(command: CommandDep) -> BrandSettings:
    return command.services.directory.settings(command.caller.brand)
