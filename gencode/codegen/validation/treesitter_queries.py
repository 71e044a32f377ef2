"""tree-sitter queries by grammar: definitions, comments, function bodies, base classes, imports.

A definition's `@def` begins where its signature begins; `@name` is the name that others use.
"""

from __future__ import annotations

from collections.abc import Mapping

_C = """
(function_definition declarator: (_ declarator: (identifier) @name)) @def
(function_definition declarator: (pointer_declarator declarator: (_ declarator: (identifier) @name))) @def
(translation_unit (declaration declarator: (function_declarator declarator: (identifier) @name)) @def)
(struct_specifier name: (type_identifier) @name body: (_)) @def
(enum_specifier name: (type_identifier) @name body: (_)) @def
(type_definition declarator: (type_identifier) @name) @def
(preproc_def name: (identifier) @name) @def
(preproc_function_def name: (identifier) @name) @def
"""
_JAVASCRIPT = """
(program (lexical_declaration (variable_declarator name: (identifier) @name)) @def)
(program (variable_declaration (variable_declarator name: (identifier) @name)) @def)
(program (function_declaration name: (identifier) @name) @def)
(program (generator_function_declaration name: (identifier) @name) @def)
(program (class_declaration name: (_) @name) @def)
"""

DEFINITIONS: Mapping[str, str] = {
    "bash": "(program (function_definition name: (word) @name) @def)",
    "c": _C,
    "cpp": _C
    + """
(class_specifier name: (type_identifier) @name body: (_)) @def
(function_definition declarator: (_ declarator: (qualified_identifier) @name)) @def
(namespace_definition name: (_) @name) @def
(alias_declaration name: (type_identifier) @name) @def
""",
    "csharp": """
(class_declaration name: (identifier) @name) @def
(interface_declaration name: (identifier) @name) @def
(struct_declaration name: (identifier) @name) @def
(enum_declaration name: (identifier) @name) @def
(record_declaration name: (identifier) @name) @def
(method_declaration name: (identifier) @name) @def
(property_declaration name: (identifier) @name) @def
""",
    "css": """
(class_selector (class_name) @name) @def
(id_selector (id_name) @name) @def
(keyframes_statement (keyframes_name) @name) @def
(rule_set (block (declaration (property_name) @name (#match? @name "^--")) @def))
""",
    "go": """
(source_file (function_declaration name: (identifier) @name) @def)
(source_file (method_declaration name: (field_identifier) @name) @def)
(source_file (type_declaration (type_spec name: (type_identifier) @name) @def))
(source_file (type_declaration (type_alias name: (type_identifier) @name) @def))
(source_file (const_declaration (const_spec name: (identifier) @name) @def))
(source_file (var_declaration (var_spec name: (identifier) @name) @def))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name) @def)))
""",
    "html": """
((attribute (attribute_name) @key (quoted_attribute_value (attribute_value) @name)) @def (#eq? @key "id"))
""",
    "java": """
(class_declaration name: (identifier) @name) @def
(interface_declaration name: (identifier) @name) @def
(enum_declaration name: (identifier) @name) @def
(record_declaration name: (identifier) @name) @def
(annotation_type_declaration name: (identifier) @name) @def
(method_declaration name: (identifier) @name) @def
""",
    "php": """
(function_definition name: (name) @name) @def
(class_declaration name: (name) @name) @def
(interface_declaration name: (name) @name) @def
(trait_declaration name: (name) @name) @def
(enum_declaration name: (name) @name) @def
(method_declaration name: (name) @name) @def
""",
    "ruby": """
(class name: (_) @name) @def
(module name: (_) @name) @def
(method name: (_) @name) @def
(singleton_method name: (_) @name) @def
(program (assignment left: (constant) @name) @def)
""",
    "rust": """
(function_item name: (identifier) @name) @def
(function_signature_item name: (identifier) @name) @def
(struct_item name: (type_identifier) @name) @def
(enum_item name: (type_identifier) @name) @def
(trait_item name: (type_identifier) @name) @def
(type_item name: (type_identifier) @name) @def
(const_item name: (identifier) @name) @def
(static_item name: (identifier) @name) @def
(mod_item name: (identifier) @name) @def
(macro_definition name: (identifier) @name) @def
""",
    "javascript": _JAVASCRIPT,
    "tsx": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
}

COMMENTS: Mapping[str, str] = {
    **dict.fromkeys(DEFINITIONS, "(comment) @comment"),
    "java": "(line_comment) @comment (block_comment) @comment",
    "rust": "(line_comment) @comment (block_comment) @comment",
}

_SCRIPT_BODIES = """
(function_declaration body: (statement_block) @body)
(generator_function_declaration body: (statement_block) @body)
(function_expression body: (statement_block) @body)
(arrow_function body: (statement_block) @body)
(method_definition body: (statement_block) @body)
"""

BODIES: Mapping[str, str] = {
    "c": "(function_definition body: (compound_statement) @body)",
    "cpp": "(function_definition body: (compound_statement) @body)",
    "csharp": "(method_declaration body: (block) @body) (local_function_statement body: (block) @body)",
    "go": "(function_declaration body: (block) @body) (method_declaration body: (block) @body)",
    "java": "(method_declaration body: (block) @body)",
    "javascript": _SCRIPT_BODIES,
    "php": "(function_definition body: (_) @body) (method_declaration body: (_) @body)",
    "rust": "(function_item body: (block) @body)",
    "tsx": _SCRIPT_BODIES,
    "typescript": _SCRIPT_BODIES,
}
"""Function bodies in braces."""

BASES: Mapping[str, str] = {
    "csharp": "(base_list (_) @base)",
    "java": "(superclass (_) @base)",
    "javascript": "(class_heritage (identifier) @base)",
    "php": "(base_clause (_) @base)",
    "tsx": "(extends_clause value: (identifier) @base)",
    "typescript": "(extends_clause value: (identifier) @base)",
}

GO_PACKAGE = "(package_clause (package_identifier) @package)"
GO_IMPORTS = "(import_spec) @import"
GO_USES = """
(selector_expression operand: (identifier) @package field: (field_identifier) @name)
(qualified_type package: (package_identifier) @package name: (type_identifier) @name)
"""
GO_LOCALS = """
(parameter_declaration name: (identifier) @local)
(variadic_parameter_declaration name: (identifier) @local)
(short_var_declaration left: (expression_list (identifier) @local))
(var_spec name: (identifier) @local)
(const_spec name: (identifier) @local)
(range_clause left: (expression_list (identifier) @local))
(receive_statement left: (expression_list (identifier) @local))
(type_switch_statement alias: (expression_list (identifier) @local))
(function_declaration name: (identifier) @local)
"""

JS_STATEMENTS = """
(program (import_statement) @import)
(program (export_statement) @export)
"""
JS_CALLS = """
((call_expression function: (identifier) @function arguments: (arguments . (string) @from)) @call
  (#eq? @function "require"))
(call_expression function: (import) arguments: (arguments . (string) @from)) @call
"""
JS_ASSIGNED = """
((assignment_expression left: (member_expression) @left right: (_) @right)
  (#match? @left "^(module\\\\.)?exports(\\\\.|$)"))
"""
