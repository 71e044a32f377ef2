"""Names: which npm package provides which JavaScript module, and which modules need no declaration."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gencode.codegen.validation.project import word_set

_NODE_MODULES = word_set(
    """
    assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns
    domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring
    readline repl stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads
    zlib
    """
)
_RUNTIME_MODULES = word_set(
    """
    vscode k6 electron aws-sdk aws-lambda bun deno cloudflare:workers obsidian figma uxp photoshop gi cypress
    astro:content solid-refresh
    """
)
"""Modules that the program which runs or builds the file provides: editors, load testers, frameworks."""
_VIRTUAL_SCOPES = ("@site/", "@theme/", "@theme-original/", "@theme-init/", "@docusaurus/", "@generated/")
_DEPENDENCIES: Mapping[str, str] = {
    "@angular/core": "tslib rxjs zone.js",
    "@nestjs/common": "reflect-metadata rxjs @nestjs/core class-validator class-transformer express",
    "@nestjs/core": "@nestjs/common reflect-metadata rxjs",
    "@nestjs/platform-express": "express multer",
    "@reduxjs/toolkit": "redux reselect immer redux-thunk",
    "@remix-run/react": "react-router react-router-dom @remix-run/router",
    "@sveltejs/kit": "svelte vite",
    "@tanstack/react-query": "@tanstack/query-core",
    "@testing-library/react": "@testing-library/dom",
    "astro": "vite",
    "apollo-server": "graphql graphql-tag",
    "apollo-server-express": "graphql graphql-tag express",
    "create-react-app": "react-scripts",
    "eslint": "@eslint/js espree",
    "express": "body-parser cookie qs serve-static send debug accepts",
    "firebase-functions": "firebase-admin",
    "gatsby": "react react-dom @reach/router",
    "jest": "@jest/globals @jest/types expect",
    "mocha": "chai",
    "mongoose": "mongodb bson",
    "next": "react react-dom styled-jsx",
    "nuxt": "vue vue-router h3 ofetch nitropack vite defu ufo",
    "playwright": "@playwright/test playwright-core",
    "prisma": "@prisma/client",
    "pinia": "vue",
    "react-native": "react",
    "react-router": "react-router-dom",
    "react-router-dom": "react-router",
    "react-scripts": "webpack jest eslint babel-loader @jest/globals http-proxy-middleware",
    "socket.io": "engine.io socket.io-parser",
    "typescript-eslint": "@typescript-eslint/parser @typescript-eslint/eslint-plugin",
    "umi": "react react-dom antd dva",
    "vite": "rollup esbuild postcss",
    "vitepress": "vue vite",
    "vitest": "vite @vitest/expect @vitest/runner",
    "vue": "@vue/runtime-core @vue/runtime-dom @vue/reactivity @vue/shared @vue/compiler-sfc",
    "webpack": "webpack-sources terser-webpack-plugin",
    "ws": "isomorphic-ws",
}
"""Packages that projects import although they declare only the one that installs them."""


def package_of(module: str) -> str:
    """The package of an imported module: `@scope/name` or `name`."""
    parts = module.split("/")
    return "/".join(parts[:2]) if module.startswith("@") else parts[0]


def is_provided(module: str) -> bool:
    """Whether a module needs no package: a module of Node or of the runtime, a URL, `virtual:x`."""
    package = package_of(module)
    return ":" in module or module.startswith(_VIRTUAL_SCOPES) or package in _NODE_MODULES | _RUNTIME_MODULES


def provides(packages: Collection[str], wanted: str) -> bool:
    """Whether `wanted` is one of the packages, has its types there, or is a dependency of one."""
    if wanted in packages:
        return True
    types = wanted[1:].replace("/", "__") if wanted.startswith("@") else wanted
    if f"@types/{types}" in packages:
        return True
    return any(wanted in _DEPENDENCIES.get(name, "").split() for name in packages)
