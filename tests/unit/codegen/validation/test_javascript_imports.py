"""Imports of JavaScript and TypeScript files, in both module systems."""

from __future__ import annotations

import json

import pytest

from gencode.codegen.validation.findings import Rule
from tests.unit.codegen.validation.projects import found, one

PACKAGE = json.dumps({"name": "app", "dependencies": {"react": "1", "@scope/ui": "1", "express": "1"}})
OWN = {
    "package.json": PACKAGE,
    "src/store.ts": "export const a = 1, b = 2;\nexport function add(x: number): void { x; }\n"
    "export default class Store {}\nexport interface Note { id: string }\nexport { c as d } from './more';\n",
    "src/more.ts": "export const c = 1;\nexport type T = string;\nexport enum E { A }\n"
    "export const { p, q: [r] } = f();\n",
    "src/ui/index.tsx": "export const Button = () => <b />;\n",
    "src/all.ts": "export * from './store';\n",
    "src/style.css": ".a { b: c }\n",
    "src/data.json": "{}\n",
    "src/Card.vue": "<template><p/></template>\n<script setup>\nimport { a } from './store';\n</script>\n",
    "lib/common.js": "const x = 1;\nmodule.exports = { x, y: 2, z() { return 1; } };\n",
    "lib/single.js": "module.exports = function run() { return 1; };\n",
    "lib/dots.js": "exports.one = 1;\nmodule.exports.two = 2;\n",
}
GOOD = [
    "import React, { useState } from 'react';\nimport { x } from '@scope/ui/deep';",
    "import Store, { a, add, type Note, d } from './store';",
    "import Store, { a } from './store.js';\nimport * as everything from './store';",
    "import { c, T, E, p, r } from './more.ts';",
    "import { Button } from './ui';\nimport { Button as B } from './ui/index';",
    "import { whatever } from './all';",
    "import './style.css';\nimport data from './data.json';\nimport Card from './Card.vue';",
    "import text from './style.css?raw';\nimport Worker from './more?worker';",
    "import fs from 'node:fs';\nimport path from 'path';\nimport { readFile } from 'fs/promises';",
    "import x from 'https://esm.sh/x';\nimport y from 'virtual:pwa';\nimport z from '#internal';",
    "import { a } from '@/store';\nimport { Button } from '~/ui';",
    "const { x, y } = require('../lib/common');\nconst common = require('../lib/common.js');",
    "import common, { x } from '../lib/common.js';\nimport { anything } from '../lib/single.js';",
    "const { one, two } = require('../lib/dots');\nconst run = require('../lib/single');",
    "const m = await import('./more');\nconst { c } = await import('./more');",
    "try { require('optional-thing'); } catch {}\nimport('other-thing').catch(() => {});",
    "import bodyParser from 'body-parser';",
    "import x from '../dist/built.js';\nimport y from './generated/client';\n"
    "import z from './routeTree.gen';",
    "export { a } from './store';\nexport * from './more';\nexport * as ns from './more';",
    "import type { Config } from 'react';\nimport fs2 = require('fs');",
]
BAD = {
    "import x from './nothing';": Rule.UNRESOLVED,
    "import './missing.css';": Rule.UNRESOLVED,
    "import logo from './logo.png';": Rule.UNRESOLVED,
    "const x = require('../helpers/nothing');": Rule.UNRESOLVED,
    "const x = await import('./nothing');": Rule.UNRESOLVED,
    "import x from '@/nothing';": Rule.UNRESOLVED,
    "import x from '../../outside';": Rule.UNRESOLVED,
    "export { a } from './nothing';": Rule.UNRESOLVED,
    "import { remove } from './store';": Rule.MISSING_NAME,
    "import { type Task } from './store';": Rule.MISSING_NAME,
    "import more from './more';": Rule.MISSING_NAME,
    "export { nothing } from './store';": Rule.MISSING_NAME,
    "const { nothing } = require('../lib/common');": Rule.MISSING_NAME,
    "import { Store } from './store';": Rule.MISSING_NAME,
}


@pytest.mark.parametrize("text", GOOD)
def test_valid_imports(text: str) -> None:
    assert found({**OWN, "src/main.ts": text}) == []


@pytest.mark.parametrize("text", BAD)
def test_invalid_imports(text: str) -> None:
    assert found({**OWN, "src/main.ts": f"\n{text}\n"}) == [("src/main.ts", 2, BAD[text])]


def test_an_undeclared_package_is_one_finding_in_the_manifest() -> None:
    files = {**OWN, "src/a.ts": "import _ from 'lodash/get';\n", "src/b.js": "const _ = require('lodash');\n"}
    finding = one(files)
    assert (finding.path, finding.line, finding.rule) == ("package.json", 0, Rule.UNDECLARED)
    assert "'lodash'" in finding.message
    assert "src/a.ts:1, src/b.js:1" in finding.message


def test_without_a_manifest_an_undeclared_package_is_a_finding_in_the_importing_file() -> None:
    assert found({"a.js": "import x from 'lodash';\n"}) == [("a.js", 1, Rule.UNDECLARED)]


@pytest.mark.parametrize(
    "more",
    [
        {"index.html": '<html><script type="importmap">{"imports": {"lodash": "/x.js"}}</script></html>'},
        {"deno.json": '{"imports": {"lodash": "npm:lodash"}}'},
        {"package.json": '{"devDependencies": {"@types/lodash": "4"}}'},
        {
            "packages/lodash/package.json": '{"name": "lodash"}',
            "package.json": '{"workspaces": ["packages/*"]}',
        },
        {"types.d.ts": "declare module 'lodash';\n"},
        {"vite.config.ts": "export default { resolve: { alias: { lodash: '/src/lodash' } } };\n"},
    ],
)
def test_packages_are_declared_in_other_ways_too(more: dict[str, str]) -> None:
    assert found({"a.ts": "import x from 'lodash';\n", **more}) == []


def test_path_aliases_of_a_tsconfig() -> None:
    config = (
        '{\n  // aliases\n  "compilerOptions": {"baseUrl": ".", "paths": {"@lib/*": '
        '["src/lib/*"], "@core": ["src/core.ts"]}},\n}'
    )
    own = {"package.json": "{}", "tsconfig.json": config, "src/lib/a.ts": "export const a = 1;\n"}
    own |= {"src/core.ts": "export const core = 1;\n"}
    good = "import { a } from '@lib/a';\nimport { core } from '@core';\nimport { a as b } from 'src/lib/a';\n"
    assert found({**own, "src/main.ts": good}) == []
    bad = "import { nothing } from '@lib/a';\n"
    assert found({**own, "src/main.ts": bad}) == [("src/main.ts", 1, Rule.MISSING_NAME)]


def test_a_component_is_analysed_and_its_exports_are_unknown() -> None:
    component = (
        "<template><p/></template>\n<script setup lang=\"ts\">\nimport { nothing } from './a';\n</script>\n"
    )
    files = {"package.json": "{}", "a.ts": "export const a = 1;\n", "b.ts": "import { x } from './C.vue';\n"}
    assert found({**files, "C.vue": component}) == [("C.vue", 3, Rule.MISSING_NAME)]


def test_a_definition_that_is_not_exported() -> None:
    files = {"a.js": "function add() { return 1; }\n", "b.js": "import { add } from './a.js';\nadd();\n"}
    assert found(files) == [("b.js", 1, Rule.MISSING_NAME)]


def test_modules_with_computed_exports_may_export_anything() -> None:
    for text in ("module.exports = require('./b');\n", "Object.assign(exports, f());\n", "export = x;\n"):
        assert found({"a.ts": text, "b.js": "x = 1;\n", "c.ts": "import { x } from './a';\n"}) == []


def test_the_imports_of_a_umd_module_are_optional() -> None:
    universal = "(function (f) { if (typeof define === 'function' && define.amd) define(['jquery'], f);"
    assert found({"a.js": universal + " else f(require('jquery')); })(function () {});\n"}) == []
