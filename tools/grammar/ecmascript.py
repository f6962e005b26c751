"""Entries of the language table: JavaScript and TypeScript. See `Language` for the captures."""

from typing import Final

from .language import Language, Visibility

_ECMA: Final = """
(function_declaration name: (_) @name body: (_)? @body) @function
(generator_function_declaration name: (_) @name body: (_)? @body) @function
(class_declaration name: (_) @name body: (_)? @body) @class
(method_definition name: (_) @name body: (_)? @body) @method
(variable_declarator name: (identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
  (generator_function body: (_) @body)]) @function
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @class
(pair key: (property_identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @method
(assignment_expression left: [(identifier) @name (member_expression) @name]
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body) (class body: (_) @body)]) @function
(export_statement "default" value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
  (object) @body (class body: (_) @body) (call_expression)]) @default
(program (lexical_declaration (variable_declarator name: (identifier) @name) @constant @inner) @wrapper)
(program (variable_declaration (variable_declarator name: (identifier) @name) @variable @inner) @wrapper)
(program (export_statement declaration: [
  (lexical_declaration (variable_declarator name: (identifier) @name) @constant @inner) @wrapper
  (variable_declaration (variable_declarator name: (identifier) @name) @variable @inner) @wrapper]))
(export_statement declaration: (_) @inner) @export
(lexical_declaration
  (variable_declarator value: [(arrow_function) (function_expression) (generator_function) (class)]) @inner) @wrapper
(variable_declaration
  (variable_declarator value: [(arrow_function) (function_expression) (generator_function) (class)]) @inner) @wrapper
(import_statement source: (_)? @source) @import
(export_statement source: (_) @source) @import
(export_specifier name: (_) @listed)
(expression_statement (call_expression function: [(identifier) @_t (member_expression object: (identifier) @_t)]
  arguments: (arguments . [(string) (template_string)] @name
    . (object)? . [(arrow_function body: (_) @body) (function_expression body: (_) @body)]))
  (#any-of? @_t "describe" "it" "test" "context" "suite" "specify" "fdescribe" "xdescribe" "fit" "xit" "bench")) @test
(variable_declarator value: (call_expression function: (identifier) @require arguments: (arguments . (string) @source))) @import
(variable_declarator value: (member_expression
  object: (call_expression function: (identifier) @require arguments: (arguments . (string) @source)))) @import
"""
_ECMA_CALLS: Final = """
(call_expression function: [(identifier) @callee (member_expression property: (property_identifier) @callee)])
(new_expression constructor: (identifier) @callee)
"""
_TYPESCRIPT: Final = (
    _ECMA
    + """
(abstract_class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(type_alias_declaration name: (_) @name value: (object_type)? @body) @type
(enum_declaration name: (_) @name body: (_) @body) @enum
(enum_body [name: (_) @name @enumerator (enum_assignment name: (_) @name) @enumerator])
(internal_module name: (_) @name body: (_) @body) @namespace
(module name: (_) @name body: (_)? @body) @module
(function_signature name: (_) @name) @function
(method_signature name: (_) @name) @method
(construct_signature "new" @name) @method
(abstract_method_signature name: (_) @name) @method
(property_signature name: (_) @name) @property
(public_field_definition name: (_) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @method
(public_field_definition name: (_) @name) @property
(required_parameter (accessibility_modifier) pattern: (identifier) @name) @field
(required_parameter "readonly" pattern: (identifier) @name) @field
(optional_parameter (accessibility_modifier) pattern: (identifier) @name) @field
(internal_module body: (statement_block [(lexical_declaration (variable_declarator name: (identifier) @name) @constant)
  (export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name) @constant))]))
(expression_statement (internal_module) @inner) @wrapper
(ambient_declaration (_) @inner) @export
(ambient_declaration [(lexical_declaration (variable_declarator name: (_) @name) @constant)
  (variable_declaration (variable_declarator name: (_) @name) @variable)])
(class_body (decorator) @attached)
"""
)
ECMASCRIPT: Final[tuple[Language, ...]] = (
    Language(
        "javascript",
        "tree_sitter_javascript",
        (".js", ".mjs", ".cjs", ".jsx", ".es6"),
        names=("Jakefile",),
        shebangs=("node", "nodejs", "bun"),
        visibility=Visibility.EXPORT,
        comments=("comment", "html_comment"),
        patterns=_ECMA
        + """
(field_definition property: (_) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @method
(field_definition property: (_) @name) @property
""",
        calls=_ECMA_CALLS,
    ),
    Language(
        "typescript",
        "tree_sitter_typescript",
        (".ts", ".mts", ".cts"),
        factory="language_typescript",
        shebangs=("deno", "ts-node", "tsx"),
        visibility=Visibility.EXPORT,
        patterns=_TYPESCRIPT,
        calls=_ECMA_CALLS,
        comments=("comment", "html_comment"),
    ),
    Language(
        "tsx",
        "tree_sitter_typescript",
        (".tsx",),
        factory="language_tsx",
        visibility=Visibility.EXPORT,
        patterns=_TYPESCRIPT,
        calls=_ECMA_CALLS,
        comments=("comment", "html_comment"),
    ),
)
