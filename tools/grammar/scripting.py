"""Entries of the language table: scripting and web languages. See `Language` for the captures."""

from typing import Final

from .ecmascript import ECMASCRIPT
from .language import DOC_INSIDE, Language, Visibility

_RUBY_ONLY_WITH: Final = (
    (
        (b"attr_",),
        """
(call method: (identifier) @_a arguments: (argument_list (simple_symbol) @name @field)
  (#any-of? @_a "attr_reader" "attr_writer" "attr_accessor"))
""",
    ),
    (
        (b"private def", b"protected def", b"public def", b"private_class_method def", b"module_function def", b"memoize def"),
        """
(call method: (identifier) @_p arguments: (argument_list . [(method) (singleton_method)] @inner)
  (#any-of? @_p "private" "protected" "public" "private_class_method" "module_function" "memoize")) @wrapper
""",
    ),
    (
        (b"define_method", b"alias_method"),
        """
(call method: (identifier) @_d arguments: (argument_list . (simple_symbol) @name)
  (#any-of? @_d "define_method" "alias_method")) @method
""",
    ),
    (
        (
            b"describe",
            b"context",
            b"it ",
            b"it(",
            b"specify",
            b"feature",
            b"scenario",
            b"shared_examples",
            b"shared_context",
            b"test ",
        ),
        """
(call method: (identifier) @_s arguments: (argument_list . (_) @name) block: (_) @body
  (#any-of? @_s "describe" "context" "it" "specify" "feature" "scenario" "shared_examples" "shared_context" "test")) @test
""",
    ),
    (
        (b"task", b"namespace"),
        """
(call method: (identifier) @_k arguments: (argument_list . [(simple_symbol) @name (pair key: (_) @name) (string) @name])
  block: (_) @body (#any-of? @_k "task" "namespace" "multitask")) @task
""",
    ),
    (
        (b"require", b"load"),
        """
(call method: (identifier) @_r arguments: (argument_list . (string) @source)
  (#any-of? @_r "require" "require_relative" "load")) @import
""",
    ),
)
_ELIXIR_ONLY_WITH: Final = (
    (
        (b"@type", b"@opaque"),
        """
(unary_operator operator: "@" operand: (call target: (identifier) @_t (arguments . (binary_operator
  left: [(identifier) @name (call target: (_) @name)])) (#any-of? @_t "type" "typep" "opaque"))) @type
""",
    ),
    (
        (b"@callback", b"@macrocallback"),
        """
(unary_operator operator: "@" operand: (call target: (identifier) @_c (arguments . (binary_operator
  left: [(identifier) @name (call target: (_) @name) (binary_operator left: [(identifier) @name (call target: (_) @name)])]))
  (#any-of? @_c "callback" "macrocallback"))) @function
""",
    ),
    (
        (b'test "', b'describe "'),
        """
(call target: (identifier) @_x (arguments . (string) @name) (do_block) @body (#any-of? @_x "test" "describe")) @test
""",
    ),
)
SCRIPTING: Final[tuple[Language, ...]] = (
    Language(
        "python",
        "tree_sitter_python",
        (".py", ".pyi", ".pyw", ".bzl", ".pyx"),
        mark="#",
        names=("SConstruct", "wscript", "BUILD.bazel"),
        shebangs=("python", "pypy"),
        visibility=Visibility.UNDERSCORE,
        docs=DOC_INSIDE,
        patterns="""
(function_definition name: (_) @name body: (_) @body) @function
(class_definition name: (_) @name body: (_) @body) @class
(decorated_definition definition: (_) @inner) @wrapper
(module (expression_statement (assignment left: (identifier) @name) @constant))
(module (expression_statement (assignment left: (pattern_list (identifier) @name @constant))))
(class_definition body: (block (expression_statement (assignment left: (identifier) @name) @field)))
(type_alias_statement left: (_) @name) @type
(import_statement name: [(dotted_name) @source (aliased_import name: (_) @source)]) @import
(import_from_statement module_name: (_) @source) @import
(future_import_statement "__future__" @source) @import
""",
        calls="(call function: [(identifier) @callee (attribute attribute: (identifier) @callee)])",
    ),
    *ECMASCRIPT,
    Language(
        "ruby",
        "tree_sitter_ruby",
        (".rb", ".rake", ".gemspec", ".ru", ".rbi"),
        mark="#",
        names=("Rakefile", "Gemfile", "Vagrantfile", "Podfile"),
        shebangs=("ruby", "jruby"),
        visibility=Visibility.UNLESS_PRIVATE,
        patterns="""
(module name: (_) @name body: (_)? @body) @module
(class name: (_) @name body: (_)? @body) @class
(method name: (_) @name body: (_)? @body) @method
(singleton_method name: (_) @name body: (_)? @body) @method
(assignment left: (constant) @name) @constant
(body_statement (identifier) @section (#any-of? @section "private" "protected" "public"))
(alias name: (_) @name) @method
""",
        calls="(call method: (identifier) @callee)",
        only_with=_RUBY_ONLY_WITH,
    ),
    Language(
        "php",
        "tree_sitter_php",
        (".php", ".phtml", ".php5", ".phps"),
        factory="language_php",
        shebangs=("php",),
        visibility=Visibility.UNLESS_PRIVATE,
        patterns="""
(namespace_definition name: (_) @name) @package
(class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(trait_declaration name: (_) @name body: (_) @body) @trait
(enum_declaration name: (_) @name body: (_) @body) @enum
(enum_case name: (_) @name) @enumerator
(function_definition name: (_) @name body: (_) @body) @function
(method_declaration name: (_) @name body: (_)? @body) @method
(property_declaration (property_element name: (_) @name)) @field
(const_declaration (const_element . (name) @name)) @constant
(property_promotion_parameter name: (_) @name) @field
(function_call_expression function: (name) @_d arguments: (arguments . (argument (string) @name)) (#eq? @_d "define")) @constant
(namespace_use_declaration (namespace_use_clause [(name) (qualified_name)] @source)) @import
""",
        calls="""(function_call_expression function: (name) @callee) (member_call_expression name: (name) @callee)
(scoped_call_expression name: (name) @callee)""",
    ),
    Language(
        "bash",
        "tree_sitter_bash",
        (".sh", ".bash", ".zsh", ".ksh", ".bats", ".ebuild"),
        mark="#",
        names=(".bashrc", ".profile", ".bash_profile", ".zshrc", ".bash_aliases", "PKGBUILD"),
        shebangs=("sh", "bash", "zsh", "ksh", "dash", "ash"),
        patterns="""
(function_definition name: (_) @name body: (_) @body) @function
(program (variable_assignment name: (_) @name) @variable)
(program (declaration_command (variable_assignment name: (_) @name)) @variable)
(command name: (command_name) @_s . argument: (_) @source (#any-of? @_s "source" ".")) @import
""",
        calls="(command name: (command_name (word) @callee))",
    ),
    Language(
        "lua",
        "tree_sitter_lua",
        (".lua", ".rockspec"),
        mark="--",
        shebangs=("lua", "luajit"),
        visibility=Visibility.UNLESS_LOCAL,
        patterns="""
(function_declaration name: (_) @name body: (_)? @body) @function
(assignment_statement (variable_list . name: (_) @name)
  (expression_list . value: (function_definition body: (_)? @body))) @function
(field name: (_) @name value: (function_definition body: (_)? @body)) @function
(chunk (variable_declaration (assignment_statement (variable_list . name: (_) @name))) @variable)
(variable_declaration (assignment_statement (expression_list (function_call name: (identifier) @_r
  arguments: (arguments (string content: (_) @source))))) (#eq? @_r "require")) @import
""",
        calls="""(function_call name: [(identifier) @callee (dot_index_expression field: (_) @callee)
  (method_index_expression method: (_) @callee)])""",
    ),
    Language(
        "elixir",
        "tree_sitter_elixir",
        (".ex", ".exs"),
        mark="#",
        shebangs=("elixir",),
        visibility=Visibility.DEFP,
        patterns="""
(call target: (identifier) @_m (arguments . (_) @name) (do_block)? @body
  (#any-of? @_m "defmodule" "defprotocol" "defimpl")) @module
(call target: (identifier) @_f (arguments . [(identifier) @name (call target: (_) @name)
  (binary_operator left: [(identifier) @name (call target: (_) @name)])]) (do_block)? @body
  (#any-of? @_f "def" "defp" "defmacro" "defmacrop" "defguard" "defguardp" "defdelegate")) @function
(call target: (identifier) @name (#any-of? @name "defstruct" "defexception")) @struct
(call target: (identifier) @_i (arguments . (_) @source) (#any-of? @_i "use" "import" "alias" "require")) @import
""",
        calls="(call target: [(identifier) @callee (dot right: (identifier) @callee)])",
        only_with=_ELIXIR_ONLY_WITH,
    ),
    Language(
        "julia",
        "tree_sitter_julia",
        (".jl",),
        mark="#",
        shebangs=("julia",),
        comments=("line_comment", "block_comment"),
        patterns="""
(module_definition name: (_) @name . (_)? @body) @module
(function_definition (signature) @name . (_)? @body) @function
(macro_definition (signature) @name . (_)? @body) @function
(assignment . [(call_expression) (where_expression) (typed_expression (call_expression))] @name) @function
(struct_definition (type_head) @name . (_)? @body) @struct
(struct_definition [(identifier) @name @field (typed_expression . (identifier) @name) @field
  (assignment . [(identifier) @name (typed_expression . (identifier) @name)]) @field])
(abstract_definition (type_head) @name) @type
(const_statement (assignment . (_) @name)) @constant
(using_statement (_) @source) @import
(import_statement (_) @source) @import
(export_statement (identifier) @listed)
""",
        calls="(call_expression . [(identifier) @callee (field_expression (identifier) @callee .)])",
    ),
    Language(
        "css",
        "tree_sitter_css",
        (".css",),
        mark="",
        patterns="""
(rule_set (selectors) @name (block) @body) @rule
(media_statement "@media" @name (block) @body) @rule
(supports_statement "@supports" @name (block) @body) @rule
(keyframes_statement (keyframes_name) @name (keyframe_block_list) @body) @keyframes
(at_rule (at_keyword) @name (block)? @body) @rule
(import_statement (_) @source) @import
""",
    ),
    Language(
        "html",
        "tree_sitter_html",
        (".html", ".htm", ".xhtml"),
        mark="",
        patterns="""
(script_element (start_tag) @name) @script
(style_element (start_tag) @name) @style
(element (start_tag (tag_name) @_h) @name (#match? @_h "^[hH][1-6]$")) @heading
(element (start_tag (attribute (attribute_name) @_i)) @name (#eq? @_i "id")) @element
(element (start_tag (tag_name) @_t) @name
  (#any-of? @_t "head" "body" "header" "nav" "main" "section" "article" "aside" "footer" "form" "table" "template")) @element
""",
    ),
)
