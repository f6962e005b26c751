"""Entries of the language table: compiled languages. See `Language` for the captures."""

from typing import Final

from .language import Language, Visibility

_C: Final = """
(function_definition declarator: (_) @name body: (_) @body) @function
(struct_specifier name: (_) @name body: (_) @body) @struct
(union_specifier name: (_) @name body: (_) @body) @union
(enum_specifier name: (_) @name body: (_) @body) @enum
(enumerator name: (_) @name) @enumerator
(type_definition type: (struct_specifier !name body: (_) @body) declarator: (_) @name) @struct
(type_definition type: (union_specifier !name body: (_) @body) declarator: (_) @name) @union
(type_definition type: (enum_specifier !name body: (_) @body) declarator: (_) @name) @enum
(type_definition declarator: (_) @name) @type
(field_declaration declarator: (_) @name) @field
(preproc_def name: (_) @name) @macro
(preproc_function_def name: (_) @name) @macro
(translation_unit (declaration declarator: (_) @name) @variable)
(preproc_if (declaration declarator: (_) @name) @variable)
(preproc_ifdef (declaration declarator: (_) @name) @variable)
(preproc_else (declaration declarator: (_) @name) @variable)
(linkage_specification body: (declaration_list (declaration declarator: (_) @name) @variable))
(preproc_include path: (_) @source) @import
"""
_C_CALLS: Final = "(call_expression function: [(identifier) @callee (field_expression field: (_) @callee)])"

COMPILED: Final[tuple[Language, ...]] = (
    Language(
        "rust",
        "tree_sitter_rust",
        (".rs",),
        visibility=Visibility.PUB,
        comments=("line_comment", "block_comment"),
        patterns="""
(function_item name: (_) @name body: (_) @body) @function
(function_signature_item name: (_) @name) @function
(struct_item name: (_) @name body: (field_declaration_list)? @body) @struct
(union_item name: (_) @name body: (_) @body) @union
(enum_item name: (_) @name body: (_) @body) @enum
(enum_variant name: (_) @name) @enumerator
(field_declaration name: (_) @name) @field
(trait_item name: (_) @name body: (_) @body) @trait
(impl_item type: (_) @name body: (_) @body) @impl
(mod_item name: (_) @name body: (_)? @body) @module
(macro_definition name: (_) @name (macro_rule) @body) @function
(type_item name: (_) @name) @type
(associated_type name: (_) @name) @type
(const_item name: (_) @name) @constant
(static_item name: (_) @name) @variable
(attribute_item) @attached
(use_declaration argument: (_) @source) @import
(extern_crate_declaration name: (_) @source) @import
""",
        calls="""(call_expression function: [(identifier) @callee (field_expression field: (_) @callee)
  (scoped_identifier name: (_) @callee)]) (macro_invocation macro: (identifier) @callee)""",
    ),
    Language(
        "go",
        "tree_sitter_go",
        (".go",),
        visibility=Visibility.CAPITAL,
        patterns="""
(function_declaration name: (_) @name body: (_)? @body) @function
(method_declaration name: (_) @name body: (_)? @body) @method
(type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @struct
(type_spec name: (_) @name type: (interface_type "{" @body)) @interface
(type_spec name: (_) @name) @type
(type_alias name: (_) @name) @type
(type_declaration . [(type_spec) (type_alias)] @inner .) @wrapper
(field_declaration (field_identifier) @name @field)
(field_declaration !name type: (_) @name) @field
(method_elem name: (_) @name) @method
(source_file (const_declaration (const_spec (identifier) @name @constant)))
(source_file (var_declaration [(var_spec (identifier) @name @variable) (var_spec_list (var_spec (identifier) @name @variable))]))
(import_spec path: (_) @source) @import
(package_clause (_) @name) @package
""",
        calls="(call_expression function: [(identifier) @callee (selector_expression field: (_) @callee)])",
    ),
    Language(
        "java",
        "tree_sitter_java",
        (".java",),
        visibility=Visibility.PUBLIC,
        comments=("line_comment", "block_comment"),
        patterns="""
(class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(enum_declaration name: (_) @name body: (_) @body) @enum
(record_declaration name: (_) @name body: (_) @body) @record
(annotation_type_declaration name: (_) @name body: (_) @body) @interface
(annotation_type_element_declaration name: (_) @name) @method
(method_declaration name: (_) @name body: (_)? @body) @method
(constructor_declaration name: (_) @name body: (_) @body) @method
(compact_constructor_declaration name: (_) @name body: (_) @body) @method
(field_declaration declarator: (variable_declarator name: (_) @name)) @field
(constant_declaration declarator: (variable_declarator name: (_) @name)) @field
(enum_constant name: (_) @name) @enumerator
(package_declaration (_) @name) @package
(import_declaration (scoped_identifier) @source) @import
""",
        calls="(method_invocation name: (_) @callee) (object_creation_expression type: (type_identifier) @callee)",
    ),
    Language("c", "tree_sitter_c", (".c", ".h"), visibility=Visibility.UNLESS_STATIC, patterns=_C, calls=_C_CALLS),
    Language(
        "cpp",
        "tree_sitter_cpp",
        (".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".inl", ".tpp", ".cu", ".cuh", ".ino", ".cppm"),
        visibility=Visibility.UNLESS_PRIVATE,
        patterns=_C
        + """
(class_specifier name: (_) @name body: (_) @body) @class
(namespace_definition name: (_)? @name body: (_) @body) @namespace
(template_declaration [(class_specifier) (struct_specifier) (union_specifier) (function_definition) (declaration)
  (alias_declaration) (concept_definition) (template_declaration)] @inner) @wrapper
(field_declaration_list (template_declaration
  [(declaration declarator: (_) @name) (field_declaration declarator: (_) @name)] @function))
(alias_declaration name: (_) @name) @type
(concept_definition name: (_) @name) @type
(field_declaration_list (declaration declarator: (_) @name) @function)
(declaration_list (declaration declarator: (_) @name) @variable)
(access_specifier) @section
(function_definition declarator: (_) @name) @function
""",
        calls=_C_CALLS + "(call_expression function: (qualified_identifier name: (identifier) @callee))",
    ),
    Language(
        "csharp",
        "tree_sitter_c_sharp",
        (".cs", ".csx"),
        visibility=Visibility.PUBLIC,
        patterns="""
(namespace_declaration name: (_) @name body: (_) @body) @namespace
(file_scoped_namespace_declaration name: (_) @name) @package
(class_declaration name: (_) @name body: (_)? @body) @class
(struct_declaration name: (_) @name body: (_)? @body) @struct
(interface_declaration name: (_) @name body: (_)? @body) @interface
(record_declaration name: (_) @name body: (_)? @body) @record
(enum_declaration name: (_) @name body: (_) @body) @enum
(enum_member_declaration name: (_) @name) @enumerator
(delegate_declaration name: (_) @name) @type
(method_declaration name: (_) @name body: (_)? @body) @method
(constructor_declaration name: (_) @name body: (_)? @body) @method
(destructor_declaration name: (_) @name body: (_)? @body) @method
(local_function_statement name: (_) @name body: (_)? @body) @function
(operator_declaration "operator" . ["+" "-" "*" "/" "%" "==" "!=" "<" ">" "<=" ">=" "!" "~" "++" "--" "&" "|" "^"] @name
  body: (_)? @body) @method
(conversion_operator_declaration type: (_) @name body: (_)? @body) @method
(indexer_declaration "this" @name) @method
(property_declaration name: (_) @name) @property
(event_field_declaration (variable_declaration (variable_declarator name: (_) @name))) @field
(event_declaration name: (_) @name) @field
(field_declaration (variable_declaration (variable_declarator name: (_) @name))) @field
(using_directive [(identifier) (qualified_name)] @source) @import
""",
        calls="(invocation_expression function: [(identifier) @callee (member_access_expression name: (identifier) @callee)])",
    ),
    Language(
        "kotlin",
        "tree_sitter_kotlin",
        (".kt", ".kts"),
        visibility=Visibility.UNLESS_PRIVATE,
        comments=("line_comment", "block_comment"),
        patterns="""
(class_declaration name: (_) @name [(class_body) (enum_class_body)]? @body) @class
(object_declaration name: (_) @name (class_body)? @body) @object
(companion_object name: (_)? @name (class_body)? @body) @object
(function_declaration name: (_) @name (function_body)? @body) @function
(secondary_constructor (block)? @body) @constructor
(enum_entry . (_) @name) @enumerator
(class_body (property_declaration (variable_declaration . (identifier) @name)) @property)
(source_file (property_declaration (variable_declaration . (identifier) @name)) @constant)
(type_alias type: (_) @name) @type
(package_header (_) @name) @package
(import (qualified_identifier) @source) @import
""",
        calls="(call_expression . [(identifier) @callee (navigation_expression (identifier) @callee .)])",
        only_with=(
            (
                (b"annotation class",),  # behind an annotation, the grammar reads it as `a class b`
                """
(infix_expression (identifier) @_a (identifier) @_c (identifier) @name (#eq? @_a "annotation") (#eq? @_c "class")) @class
""",
            ),
        ),
    ),
    Language(
        "swift",
        "tree_sitter_swift",
        (".swift",),
        shebangs=("swift",),
        visibility=Visibility.UNLESS_PRIVATE,
        comments=("comment", "multiline_comment"),
        patterns="""
(class_declaration name: (_) @name body: (_) @body) @class
(protocol_declaration name: (_) @name body: (_) @body) @interface
(function_declaration "func" . (_) @name body: (_)? @body) @function
(protocol_function_declaration name: (simple_identifier) @name) @function
(init_declaration "init" @name body: (_)? @body) @constructor
(deinit_declaration "deinit" @name body: (_)? @body) @method
(subscript_declaration "subscript" @name (computed_property)? @body) @method
(class_body (property_declaration name: (pattern bound_identifier: (_) @name)) @property)
(enum_class_body (property_declaration name: (pattern bound_identifier: (_) @name)) @property)
(protocol_property_declaration name: (pattern bound_identifier: (_) @name)) @property
(source_file (property_declaration name: (pattern bound_identifier: (_) @name)) @constant)
(enum_entry name: (simple_identifier) @name @enumerator)
(typealias_declaration name: (type_identifier) @name) @type
(import_declaration (identifier) @source) @import
""",
        calls="""
(call_expression . [(simple_identifier) @callee (navigation_expression suffix: (navigation_suffix suffix: (_) @callee))])
""",
    ),
    Language(
        "scala",
        "tree_sitter_scala",
        (".scala", ".sc", ".sbt"),
        shebangs=("scala",),
        visibility=Visibility.UNLESS_PRIVATE,
        comments=("comment", "block_comment"),
        patterns="""
(class_definition name: (_) @name body: (_)? @body) @class
(object_definition name: (_) @name body: (_)? @body) @object
(trait_definition name: (_) @name body: (_)? @body) @trait
(package_object name: (_) @name body: (_)? @body) @object
(enum_definition name: (_) @name body: (_)? @body) @enum
(simple_enum_case name: (_) @name) @enumerator
(full_enum_case name: (_) @name) @enumerator
(function_definition name: (_) @name body: (_)? @body) @function
(function_declaration name: (_) @name) @function
(given_definition name: (_) @name body: (_)? @body) @constant
(type_definition name: (_) @name) @type
(template_body [(val_definition pattern: (identifier) @name) (var_definition pattern: (identifier) @name)] @property)
(compilation_unit [(val_definition pattern: (identifier) @name) (var_definition pattern: (identifier) @name)] @constant)
(package_clause name: (_) @name) @package
(import_declaration path: (_) @source) @import
""",
        calls="(call_expression function: [(identifier) @callee (field_expression field: (_) @callee)])",
    ),
    Language(
        "zig",
        "tree_sitter_zig",
        (".zig", ".zon"),
        visibility=Visibility.PUB,
        patterns="""
(function_declaration name: (_) @name body: (_)? @body) @function
(variable_declaration . (identifier) @name (struct_declaration "{" @body)) @struct
(variable_declaration . (identifier) @name (enum_declaration "{" @body)) @enum
(variable_declaration . (identifier) @name (union_declaration "{" @body)) @union
(container_field name: (_) @name) @field
(source_file (variable_declaration . (identifier) @name) @constant)
(struct_declaration (variable_declaration . (identifier) @name) @constant)
(test_declaration (string) @name (block) @body) @function
(variable_declaration (builtin_function (builtin_identifier) @_i (arguments (string) @source)) (#eq? @_i "@import")) @import
""",
        calls="(call_expression function: [(identifier) @callee (field_expression member: (_) @callee)])",
    ),
    Language(
        "haskell",
        "tree_sitter_haskell",
        (".hs", ".hs-boot"),
        mark="--",
        shebangs=("runhaskell", "stack"),
        visibility=Visibility.HEADER,
        comments=("comment", "haddock"),
        patterns="""
(data_type name: (_) @name constructors: (_)? @body) @type
(newtype name: (_) @name constructor: (_)? @body) @type
(type_synonym name: (_) @name) @type
(class name: (_) @name declarations: (_)? @body) @class
(instance name: (_) @name declarations: (_)? @body) @instance
(signature name: (_) @name) @signature
(function name: (_) @name match: (_)? @body) @function
(declarations (bind name: (_) @name match: (_)? @body) @function)
(class_declarations (bind name: (_) @name match: (_)? @body) @function)
(instance_declarations (bind name: (_) @name match: (_)? @body) @function)
(header module: (_) @name) @package
(header exports: (exports (export . (_) @listed)))
(data_constructor (_ name: (constructor) @name)) @enumerator
(field name: (field_name) @name) @field
(import module: (_) @source) @import
""",
        calls="(apply function: (variable) @callee)",
    ),
)
