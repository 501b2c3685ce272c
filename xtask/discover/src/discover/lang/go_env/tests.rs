//! What the libraries' tags, keys and flags say, as tables.

use super::*;
use crate::discover::lang::go::SOURCE;
use crate::discover::lang::testing::{survives, what};

fn src(text: &str) -> Vec<String> {
    let mut said = what(&[SOURCE], "a/config.go", text);
    said.retain(|line| ["env ", "key ", "keys "].iter().any(|start| line.starts_with(start)));
    said
}

fn of_struct(head: &str, fields: &str) -> Vec<String> {
    src(&format!("{head}\ntype Config struct {{\n{fields}\n}}\n"))
}

#[test]
fn patterns_are_valid() {
    let all = [&HEAD, &PROCESS, &PREFIX, &CLI, &CLI_VALUE, &FF_PREFIX, &FF_FLAG];
    assert!(all.iter().all(|pattern| pattern.is_valid()));
}

#[test]
fn tags_name_variables_with_default_and_need() {
    for (field, wanted) in [
        ("Level string `env:\"LEVEL\" envDefault:\"info\"`", "env LEVEL info"),
        ("Level string `json:\"env\" env:\"LEVEL,required\"`", "env LEVEL - required"),
        ("Level string `env:\"LEVEL,notEmpty\" // why`", "env LEVEL - required"),
        ("Level string `env:\"LEVEL,required\" envDefault:\"info\"`", "env LEVEL info"),
        ("Level string `env:\"LEVEL, default=info\"`", "env LEVEL info"),
        ("Hosts []string `env:\"HOSTS, default=a,b\"`", "env HOSTS a,b"),
        ("Level string `env:\"LEVEL\" env-default:\"info\"`", "env LEVEL info"),
        ("Level string `env:\"LEVEL\" env-required:\"true\"`", "env LEVEL - required"),
        ("Level string `yaml:\"level\" env:\"LEVEL\" env-required:\"true\"`", "env LEVEL -"),
        ("Level string `envconfig:\"LEVEL\" default:\"info\"`", "env LEVEL info"),
        ("Level string `envconfig:\"level\" required:\"true\"`", "env LEVEL - required"),
        ("Level string `help:\"x\" env:\"LEVEL\" default:\"info\"`", "env LEVEL info"),
    ] {
        assert_eq!(of_struct("", field), [wanted], "{field}");
    }
    assert!(of_struct("", "Level string `env:\"-\"`").is_empty());
    assert!(of_struct("", "Level string `json:\"level\"`").is_empty());
    assert!(of_struct("", "Level string `env:\"Level\"`").is_empty());
}

#[test]
fn structs_inside_give_their_prefix() {
    for (fields, wanted) in [
        ("DB struct {\n Host string `env:\"HOST\"`\n} `envPrefix:\"DB_\"`", "env DB_HOST -"),
        (
            "DB Database `envPrefix:\"DB_\"`\n}\ntype Database struct {\nHost string `env:\"HOST\"`",
            "env DB_HOST -",
        ),
        (
            "DB *Database `env:\", prefix=DB_\"`\n}\ntype Database struct {\nHost string `env:\"HOST\"`",
            "env DB_HOST -",
        ),
        (
            "DB Database `env-prefix:\"DB_\"`\n}\ntype Database struct {\nHost string `env:\"HOST\"`",
            "env DB_HOST -",
        ),
        ("Database\n}\ntype Database struct {\nHost string `env:\"HOST\"`", "env HOST -"),
        (
            "DB Database `env-namespace:\"DB\"`\n}\ntype Database struct {\nHost string `env:\"HOST\"`",
            "env DB_HOST -",
        ),
    ] {
        assert_eq!(of_struct("", fields), [wanted], "{fields}");
    }
    let options = "func f() { env.ParseWithOptions(&c, env.Options{Prefix: \"SHOP_\"}) }";
    assert_eq!(of_struct(options, "Port int `env:\"PORT\"`"), ["env SHOP_PORT -"]);
}

#[test]
fn envconfig_names_variables_after_fields() {
    let process = |prefix: &str| format!("func f() {{ envconfig.Process(\"{prefix}\", &c) }}");
    for (prefix, fields, wanted) in [
        ("shop", "Port int `default:\"80\"`", "env SHOP_PORT 80"),
        ("shop", "LogLevel string `split_words:\"true\" required:\"true\"`", "env SHOP_LOG_LEVEL - required"),
        ("shop", "LogLevel string", "env SHOP_LOGLEVEL -"),
        ("shop", "Level string `envconfig:\"log_level\"`", "env SHOP_LOG_LEVEL -"),
        ("", "Level string `envconfig:\"LOG_LEVEL\"`", "env LOG_LEVEL -"),
        ("shop", "DB struct {\nHost string\n}", "env SHOP_DB_HOST -"),
        (
            "",
            "DB Database\n}\ntype Database struct {\nHost string `required:\"true\"`",
            "env DB_HOST - required",
        ),
    ] {
        assert_eq!(of_struct(&process(prefix), fields), [wanted], "{fields}");
    }
    assert!(of_struct(&process("shop"), "level string\nSkip string `ignored:\"true\"`").is_empty());
    let constant = "const prefix = \"shop\"\nfunc f() { envconfig.MustProcess(prefix, &c) }";
    assert_eq!(of_struct(constant, "Port int"), ["env SHOP_PORT -"]);
}

#[test]
fn conf_names_variables_after_the_way_to_a_field() {
    let text = "cfg := struct {\n\tconf.Version\n\tWeb struct {\n\t\tAPIHost string `conf:\"default:0.0.0.0:3000\"`\n\t\tDebug string `conf:\"env:DEBUG_HOST,required\"`\n\t}\n}{}\nconst prefix = \"SALES\"\nhelp, err := conf.Parse(prefix, &cfg)\n";
    assert_eq!(src(text), ["env SALES_WEB_API_HOST 0.0.0.0:3000", "env SALES_DEBUG_HOST - required"]);
}

#[test]
fn keys_of_viper_come_with_their_rule() {
    let text = "import \"github.com/spf13/viper\"\nviper.SetEnvPrefix(\"shop\")\nviper.SetEnvKeyReplacer(strings.NewReplacer(\".\", \"_\", \"-\", \"_\"))\nviper.AutomaticEnv()\nviper.SetDefault(\"db.host\", \"db\")\nx := v.GetString(\"log-level\")\nviper.BindEnv(\"port\")\nviper.BindEnv(\"host\", \"HOST\")\n";
    assert_eq!(
        src(text),
        ["keys SHOP_ .>_ ->_", "key db.host db", "key log-level -", "env SHOP_PORT -", "env HOST -"]
    );
    assert_eq!(src("x := cache.GetString(\"viper\")"), Vec::<String>::new());
}

#[test]
fn structs_of_viper_and_koanf_are_keys() {
    let fields = "DB struct {\nHost string `mapstructure:\"host\"`\n} `mapstructure:\"db\"`\nLevel string `koanf:\"level\"`\nSkip string `mapstructure:\"-\"`";
    assert_eq!(of_struct("", fields), ["key db.host -", "key level -"]);
    let text = "type RetryOptions struct {\nMax int `mapstructure:\"max\"`\n}\n";
    assert!(src(text).is_empty());
    assert_eq!(src(&format!("import \"github.com/spf13/viper\"\n{text}")), ["key max -"]);
    let text = "type User struct {\nName string `mapstructure:\"name\"`\n}\n";
    assert!(src(text).is_empty());
}

#[test]
fn providers_of_koanf_name_prefix_and_separator() {
    for (call, wanted) in [
        (
            "k.Load(env.Provider(\"SHOP_\", \".\", func(s string) string {\n return strings.ReplaceAll(s, \"__\", \".\")\n}), nil)",
            "keys SHOP_ .>__",
        ),
        ("k.Load(env.Provider(\"SHOP_\", \"_\", nil), nil)", "keys SHOP_ .>_"),
        (
            "k.Load(env.Provider(\".\", env.Opt{Prefix: \"SHOP_\", TransformFunc: func(k, v string) (string, any) {\n return strings.ReplaceAll(k, \"_\", \".\"), v\n}}), nil)",
            "keys SHOP_ .>_",
        ),
    ] {
        let text = format!("import \"github.com/knadh/koanf/v2\"\n{call}\nx := k.String(\"db.host\")\n");
        assert_eq!(src(&text), [wanted, "key db.host -"], "{call}");
    }
}

#[test]
fn flags_name_their_variables() {
    for (text, wanted) in [
        (
            "&cli.StringFlag{Name: \"level\", Value: \"info\", EnvVars: []string{\"LEVEL\"}},",
            "env LEVEL info",
        ),
        (
            "&cli.StringFlag{\n\tName: \"level\",\n\tSources: cli.EnvVars(\"LEVEL\"),\n\tRequired: true,\n},\n&cli.IntFlag{Name: \"n\", Value: 1},",
            "env LEVEL - required",
        ),
        ("cli.StringFlag{Name: \"level\", EnvVar: \"LEVEL\"}", "env LEVEL -"),
        (
            "level := fs.String(\"log-level\", \"info\", \"x\")\nff.Parse(fs, args, ff.WithEnvVarPrefix(\"SHOP\"))",
            "env SHOP_LOG_LEVEL info",
        ),
    ] {
        assert_eq!(src(text), [wanted], "{text}");
    }
}

#[test]
fn hostile_structs_are_survived() {
    survives(&[SOURCE], &["a/x.go"]);
    let deep = "type A struct {\nX string `env:\"X\"`\n".to_owned() + &"A struct {\n".repeat(20_000);
    let _ = src(&deep);
    let wide = "type A struct {\nX A `env:\"X\"`\n}\n".repeat(2_000);
    let _ = src(&wide);
    let _ = src(&"viper.Get(\"a\") koanf EnvVar: \"".repeat(3_000));
}
