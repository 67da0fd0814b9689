#!/usr/bin/env python3
"""check-sbom.py FILE…: whether bills of materials are what CycloneDX 1.6 says, by its own schema.

The schema comes with the package cyclonedx-python-lib[json-validation]; without it nothing is checked, and that is said."""

import json
import sys


def references(path: str) -> None:
    """What a schema cannot say: whatever is referred to is there, once."""
    with open(path, encoding="utf-8") as file:
        bill = json.load(file)
    parts = [bill["metadata"]["component"], *bill["components"]]
    known = [part["bom-ref"] for part in parts]
    assert len(known) == len(set(known)), f"{path}: a part is there twice"
    for entry in bill["dependencies"]:
        for name in [entry["ref"], *entry["dependsOn"]]:
            assert name in known, f"{path}: {name} is not there"
    print(f"{path}: {len(known)} parts")


def main(paths: list[str]) -> int:
    for path in paths:
        references(path)
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
        validator = JsonStrictValidator(SchemaVersion.V1_6)
        validator.validate_str("{}")
    except Exception as error:  # whatever of it is missing
        print(f"skipped: no schema ({error}); pip install 'cyclonedx-python-lib[json-validation]'", file=sys.stderr)
        return 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            wrong = validator.validate_str(file.read())
        if wrong:
            print(f"{path}: {wrong}", file=sys.stderr)
            return 1
        print(f"{path}: valid by the schema of CycloneDX 1.6")
    return 0


sys.exit(main(sys.argv[1:]))
