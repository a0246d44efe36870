#!/usr/bin/env python3
"""schema.py SCHEMA FILE: whether the JSON in FILE is as SCHEMA says.

Knows the keywords that docs/json/ uses: type, enum, const, properties, required, additionalProperties,
items, minimum, maximum.
"""
import json
import sys

TYPES = {'object': dict, 'array': list, 'string': str, 'integer': int, 'boolean': bool, 'null': type(None),
         'number': (int, float)}
KNOWN = {'type', 'enum', 'const', 'properties', 'required', 'additionalProperties', 'items', 'minimum',
         'maximum', 'description', 'title', 'format', '$schema'}


def is_type(value, name):
    if name in ('integer', 'number') and isinstance(value, bool):
        return False
    return isinstance(value, TYPES[name])


def problems_of_object(schema, value, at):
    for key in schema.get('required', []):
        if key not in value:
            yield f'{at}: {key} is missing'
    for key, item in value.items():
        if key in schema.get('properties', {}):
            yield from problems(schema['properties'][key], item, f'{at}.{key}')
        elif schema.get('additionalProperties') is False:
            yield f'{at}: {key} is not in the schema'
        elif isinstance(schema.get('additionalProperties'), dict):
            yield from problems(schema['additionalProperties'], item, f'{at}.{key}')


def problems(schema, value, at='$'):
    for word in set(schema) - KNOWN:
        yield f'{at}: schema.py does not know {word}'
    types = schema.get('type', [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(value, t) for t in types):
        yield f'{at}: {value!r} is not {" or ".join(types)}'
        return
    if 'enum' in schema and value not in schema['enum']:
        yield f'{at}: {value!r} is none of {schema["enum"]}'
    if 'const' in schema and value != schema['const']:
        yield f'{at}: {value!r} is not {schema["const"]!r}'
    if isinstance(value, (int, float)) and not schema.get('minimum', value) <= value <= schema.get('maximum', value):
        yield f'{at}: {value} is out of range'
    if isinstance(value, dict):
        yield from problems_of_object(schema, value, at)
    if isinstance(value, list) and 'items' in schema:
        for n, item in enumerate(value):
            yield from problems(schema['items'], item, f'{at}[{n}]')


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        schema = json.load(f)
    with open(sys.argv[2], encoding='utf-8') as f:
        value = json.load(f)
    found = list(problems(schema, value))
    print('\n'.join(found), end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
