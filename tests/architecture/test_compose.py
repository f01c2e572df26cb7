from __future__ import annotations

import importlib.resources
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = ("postgres", "redis", "worker", "beat")
OURS = ("migrate", "worker", "beat", "cli")


def specification() -> dict[str, Any]:
    """The compose specification's JSON schema, as the check-jsonschema package carries it."""
    folder = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema: dict[str, Any] = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    return schema


def test_the_file_follows_the_compose_specification() -> None:
    jsonschema.Draft202012Validator(specification()).validate(COMPOSE)


def test_a_misspelt_key_would_not_follow_the_specification() -> None:
    wrong = {"services": {"postgres": {**SERVICES["postgres"], "helthcheck": {}}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(specification()).validate(wrong)


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    uid = int(service["user"].partition(":")[0])
    assert uid > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "mem_limit" in service
    assert not service.get("privileged")
    assert "cap_add" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_a_published_port_is_reachable_from_this_machine_alone(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


def test_secrets_are_files_and_stand_in_no_environment_and_no_command() -> None:
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|_URL", variable):
                assert variable.endswith("_FILE")
                assert value.startswith("/run/secrets/")
        for secret in service.get("secrets", []):
            assert secret in COMPOSE["secrets"]


def test_the_secret_files_are_the_ones_that_are_made_and_git_ignores_them() -> None:
    made = set(
        re.findall(r"^keep_or_write (\w+)", (ROOT / "deploy/make-secrets").read_text(), flags=re.MULTILINE)
    )
    assert {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()} == made
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_broker_never_throws_messages_away_and_keeps_a_log_of_them() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command


def test_the_migration_runs_once_and_everything_of_ours_waits_for_it() -> None:
    assert SERVICES["migrate"]["command"] == ["headersweep", "db", "upgrade"]
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in set(OURS) - {"migrate"}:
        conditions = {key: value["condition"] for key, value in SERVICES[name]["depends_on"].items()}
        assert conditions == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "redis": "service_healthy",
        }


def test_the_image_runs_without_rights_and_installs_only_what_is_pinned_by_hash() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    final = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, flags=re.MULTILINE)
    assert "pip install" not in final
    assert "apt-get" not in text
    for line in re.findall(r"install --no-cache-dir.*", text):
        assert "--require-hashes" in line or "--no-deps /wheels" in line


def test_the_cron_job_never_overlaps_and_runs_without_rights() -> None:
    job = yaml.safe_load((ROOT / "deploy/kubernetes/cronjob.yaml").read_text(encoding="utf-8"))
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "deploy/systemd").glob("*.service")), ids=lambda path: path.name
)
def test_a_unit_runs_under_an_account_of_its_own_that_can_change_nothing(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in ("DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet="):
        assert line in lines
    assert any(line.startswith("LoadCredential=database_url:") for line in lines)
