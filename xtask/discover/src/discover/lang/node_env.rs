//! JavaScript's schemas of variables (zod, joi, yup, envalid, TypeBox, convict, classes of class-validator), and other
//! names for `process.env`.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};

use super::scan::{Comments, Pattern, Words, cut, has_capital_key, holds, line_at, uncommented, unquoted};

/// Adds what the file's schemas say, and its reads through another name.
pub(super) fn read(findings: &mut Findings<'_, '_>) {
    /// One of those below.
    static ANY: Words = Words::new(&["convict", "class-validator", "= process.env", "throw", "process.exit"]);
    let text = findings.source.text;
    schemas(findings);
    if !ANY.any(text) {
        return;
    }
    if holds(text, "convict") {
        convict(findings);
    }
    if holds(text, "class-validator") {
        classes(findings);
    }
    if holds(text, "= process.env") {
        named(findings);
    }
    if holds(text, "throw") || holds(text, "process.exit") {
        demanded(findings);
    }
}

/// The beginning of an entry: `PORT: z.…`, `PORT: Joi.…`, `PORT: port(…`.
static ENTRY: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"\b(?P<name><KEY>)\s*:\s*(?P<library>(?:z|[jJ]oi|yup|envalid)\s*\.|(?P<short>Type|[vV])\s*\.\s*\w+\s*\(|(?:str|num|port|url|bool|host|email|json)\()",
    )
});
static DEFAULT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"\.\s*(?:default|prefault|catch)\(\s*(?:\(\)\s*=>\s*)?(?P<default><lit>)|\bdefault\s*:\s*(?P<default2><lit>)",
    )
});

/// What a file does that checks its variables by a schema.
static CHECKS: Words = Words::new(&[
    "process.env",
    "import.meta.env",
    "createEnv(",
    "cleanEnv(",
    "validationSchema",
    "Deno.env",
    "Bun.env",
]);

fn schemas(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    // A second pass over the file that few files need.
    if !has_capital_key(text) {
        return;
    }
    let is_checked = CHECKS.any(text);
    for entry in ENTRY.all(text, usize::MAX).take(1000) {
        let (Some(whole), Some(name), Some(library)) =
            (entry.get(0), entry.name("name"), entry.name("library"))
        else {
            continue;
        };
        // So short a name may be anything: `rows.map(v => ({ REDIS_URL: v.trim() }))`.
        if is_comment(text, name.start()) || entry.name("short").is_some() && !is_checked {
            continue;
        }
        let said = expression(&text[library.start()..]);
        let default = DEFAULT.first(said);
        let default =
            default.as_ref().and_then(|found| found.name("default").or_else(|| found.name("default2")));
        let has = |words: &[&str]| words.iter().any(|word| holds(said, word));
        let word = whole.as_str().rsplit(':').next().unwrap_or_default().trim_start();
        let demanded = if word.starts_with(['j', 'J', 'y']) && !word.starts_with("json(") {
            has(&[".required("])
        } else {
            !has(&["ptional(", ".nullish(", ".nullable(", "efault", ".catch(", "undefined"])
        };
        let read = Read {
            name: name.as_str(),
            default: default.and_then(|default| unquoted(default.as_str())),
            required: demanded && is_checked,
        };
        let is_optional = read.default.is_none() && has(&["ptional(", ".nullish("]);
        let rule = if is_optional { "node-env-optional" } else { "node-env-schema" };
        findings.env(line_at(text, name.start()), rule, read);
    }
}

/// The text up to the comma, bracket or semicolon that ends an entry.
fn expression(text: &str) -> &str {
    let text = cut(text, 800);
    let mut depth = 0_u32;
    let mut quote = None;
    let mut before = 0;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if byte == open && before != b'\\' => quote = None,
            (Some(b'"' | b'\''), b'\n') => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}' | b',' | b';') if depth == 0 => return &text[..at],
            (None, b')' | b']' | b'}') => depth -= 1,
            _ => {}
        }
        before = byte;
    }
    text
}

fn is_comment(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    uncommented(&text[start..at], Comments::Script).len() < at - start
}

/// `{ doc: 'x', format: 'port', default: 3000, env: 'PORT' }`.
static CONVICT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"\{(?P<before>[^{}]*)\benv\s*:\s*["'](?P<name><key>)["'](?P<after>[^{}]*)\}"#)
});

fn convict(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    for found in CONVICT.all(text, usize::MAX).take(500) {
        let Some(name) = found.name("name") else { continue };
        let of = |side: &str| DEFAULT.first(found.name(side)?.as_str())?.name("default2");
        let default = of("before").or_else(|| of("after")).and_then(|default| unquoted(default.as_str()));
        let read = Read { name: name.as_str(), default, required: false };
        findings.env(line_at(text, name.start()), "node-env-schema", read);
    }
}

/// A field in capitals with decorators, of a class into which the variables are read.
static CLASS_FIELD: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"(?P<notes>(?:@\w+\([^@;]*\)\s*)+)(?:public\s+|readonly\s+)*(?P<name><KEY>)(?P<mark>[?!]?)\s*:\s*[\w<>\[\] |]+?(?:\s*=\s*(?P<default><lit>|[^;\n]+))?\s*[;\n]",
    )
});

fn classes(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    for found in CLASS_FIELD.all(text, usize::MAX).take(500) {
        let (Some(notes), Some(name)) = (found.name("notes"), found.name("name")) else { continue };
        let default = found.name("default").map(|default| default.as_str());
        let is_optional = holds(notes.as_str(), "@IsOptional")
            || default.is_some()
            || found.name("mark").is_some_and(|mark| mark.as_str() == "?");
        let read = Read { name: name.as_str(), default: default.and_then(unquoted), required: !is_optional };
        findings.env(line_at(text, name.start()), "node-env-schema", read);
    }
}

/// `const env = process.env;`.
static NAMED: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"\b(?:const|let|var)\s+(?P<name>\w+)\s*(?::[^=\n]+)?=\s*process\.env\s*[;\n]")
});

fn named(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let Some(found) = NAMED.first(text) else { return };
    let (Some(whole), Some(name)) = (found.get(0), found.name("name")) else { return };
    let begins = format!("{}.", name.as_str());
    for (at, _) in text[whole.end()..].match_indices(&begins).take(500) {
        let start = whole.end() + at;
        let rest = &text[start + begins.len()..];
        let is_whole =
            !text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$'));
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let is_capital =
            rest[..end].bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if !is_whole || end < 2 || !is_capital || is_comment(text, start) {
            continue;
        }
        let default = OTHERWISE.first(cut(&rest[end..], 200)).and_then(|found| found.name("default"));
        let default = default.and_then(|default| unquoted(default.as_str()));
        let read = Read { name: &rest[..end], default, required: false };
        findings.env(line_at(text, start), "node-env", read);
    }
}

static OTHERWISE: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"^\s*(?:,\s*10\s*)?\)?\s*(?:\|\||\?\?)\s*(?P<default><lit>)"));

/// `if (!process.env.KEY) throw …`.
static DEMANDED: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"\bif\s*\(\s*!\s*process\.env\.(?P<name><KEY>)\s*\)\s*\{?\s*(?:console\.\w+\([^;\n]*\);?\s*)?(?:throw\b|process\.exit\()",
    )
});

fn demanded(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    for found in DEMANDED.all(text, usize::MAX).take(200) {
        let Some(name) = found.name("name").filter(|name| !is_comment(text, name.start())) else { continue };
        let read = Read { name: name.as_str(), default: None, required: true };
        findings.env(line_at(text, name.start()), "node-env", read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::node::SOURCE;
    use crate::discover::lang::testing::{survives, what};

    fn src(text: &str) -> Vec<String> {
        let mut said = what(&[SOURCE], "a/src/env.ts", text);
        said.retain(|line| line.starts_with("env "));
        said
    }

    #[test]
    fn patterns_are_valid() {
        let all = [&ENTRY, &DEFAULT, &CONVICT, &CLASS_FIELD, &NAMED, &OTHERWISE, &DEMANDED];
        assert!(all.iter().all(|pattern| pattern.is_valid()));
    }

    #[test]
    fn schemas_say_default_and_need() {
        for (entry, wanted) in [
            ("LEVEL: z.string(),", "env LEVEL - required"),
            ("LEVEL: z\n  .string()\n  .min(1),", "env LEVEL - required"),
            ("LEVEL: z.enum(['a', 'b']).default('a'),", "env LEVEL a"),
            ("MAX: z.coerce.number().int().default(10),", "env MAX 10"),
            ("LEVEL: z.string().optional(),", "env LEVEL -"),
            ("LEVEL: z.string().default(\n  'info'\n),", "env LEVEL info"),
            ("LEVEL: Joi.string(),", "env LEVEL -"),
            ("LEVEL: Joi.string().required(),", "env LEVEL - required"),
            ("LEVEL: Joi.string().valid('a', 'b').default('a'),", "env LEVEL a"),
            ("LEVEL: str({ choices: ['info'], default: 'info' }),", "env LEVEL info"),
            ("LEVEL: str(),", "env LEVEL - required"),
            ("MAX: Type.Number({ default: 10 }),", "env MAX 10"),
        ] {
            assert_eq!(
                src(&format!("const s = {{\n{entry}\n}};\ns.parse(process.env);\n")),
                [wanted],
                "{entry}"
            );
        }
        assert_eq!(src("const s = z.object({ LEVEL: z.string() });"), ["env LEVEL -"]);
        assert!(src("// LEVEL: z.string(),").is_empty());
        for code in [
            "const f = { READ: Type.Read };\nx(process.env);",
            "rows.map(v => ({ LEVEL: v.level }));\nx(process.env);",
            "rows.map(v => ({ LEVEL: v.trim() }));",
        ] {
            assert!(src(code).is_empty(), "{code}");
        }
    }

    #[test]
    fn convict_names_variables_beside_their_defaults() {
        let text = "const convict = require('convict');\nconvict({ level: { doc: 'x', default: 'info', env: 'LEVEL' },\n max: { env: 'MAX', default: 10 } });";
        assert_eq!(src(text), ["env LEVEL info", "env MAX 10"]);
    }

    #[test]
    fn classes_of_variables_are_read() {
        let text = "import { IsString } from 'class-validator';\nclass Variables {\n  @IsString()\n  LEVEL: string;\n\n  @IsInt()\n  @Min(1)\n  MAX: number = 10;\n\n  @IsString()\n  @IsOptional()\n  NOTE?: string;\n}\n";
        assert_eq!(src(text), ["env LEVEL - required", "env MAX 10", "env NOTE -"]);
    }

    #[test]
    fn other_names_of_the_environment_are_followed() {
        let text = "const env = process.env;\nconst a = env.LEVEL || 'info';\nconst b = parseInt(env.MAX, 10) || 10;\nconst c = my.env.NOT, d = env.not;\n";
        assert_eq!(src(text), ["env LEVEL info", "env MAX 10"]);
    }

    #[test]
    fn what_ends_the_program_is_demanded() {
        for text in [
            "if (!process.env.LEVEL) throw new Error('x');",
            "if (!process.env.LEVEL) {\n  throw new Error('x');\n}",
            "if (!process.env.LEVEL) {\n  console.error('x');\n  process.exit(1);\n}",
        ] {
            assert!(src(text).contains(&"env LEVEL - required".to_owned()), "{text}");
        }
        assert_eq!(src("if (!process.env.LEVEL) { x(); }\nthrow 1;"), ["env LEVEL -"]);
    }

    #[test]
    fn hostile_schemas_are_survived() {
        survives(&[SOURCE], &["a/env.ts"]);
        let _ = src(&"AA: z.(((".repeat(5_000));
        let _ =
            src(&("class-validator convict".to_owned() + &"@A(".repeat(10_000) + &"{env:".repeat(10_000)));
        let _ = src(&("const e = process.env;\n".to_owned() + &"e.AA".repeat(20_000)));
    }
}
