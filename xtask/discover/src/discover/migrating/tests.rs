//! Which migrations somebody else can run, tool by tool, and what is said where not.

mod configured;

use super::*;
use crate::catalog::Catalog;
use crate::discover::{Scope, discover};
use crate::repo::Repo;

/// What is known of the first service's migrations: the one-shot with its folder, or what is said instead; and the
/// commands that stay in the inventory.
fn told(tree: &str) -> (String, usize) {
    let facts = discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default()).expect("is read");
    let service = &facts.services[0];
    let run = service.migration.as_ref().map(|run| {
        let folder = run.folder.as_ref().map(|folder| format!(" in {folder}")).unwrap_or_default();
        let files = run.files.as_ref().map(|files| format!(" over {files}")).unwrap_or_default();
        format!("{}{folder}{files}", run.command.join(" "))
    });
    let problem = facts.problems.iter().find(|problem| problem.code == "migrations-not-run");
    let why = problem.map(|problem| problem.message.split(" runs them: ").nth(1).unwrap_or_default());
    let commands = service.facts.iter().filter(|fact| matches!(fact.what, What::Migration { .. })).count();
    assert!(run.is_none() || why.is_none(), "{run:?} {why:?}");
    (run.or(why.map(str::to_owned)).unwrap_or_default(), commands)
}

const GOOSE: &str =
    "//- /api/db/migrations/1.sql\n-- +goose Up\n//- /api/db/migrations/2.sql\n-- +goose Up\n";

#[test]
fn a_program_of_its_own_has_to_be_installed() {
    let of =
        |dockerfile: &str, more: &str| told(&format!("//- /api/Dockerfile\n{dockerfile}\n{GOOSE}{more}"));
    let missing = "`goose` is not seen in its image".to_owned();
    assert_eq!(of("FROM alpine:3\nCMD [\"/api\"]", ""), (missing.clone(), 0));
    assert_eq!(of("FROM alpine:3\nRUN wget -O /bin/goose x\nCMD [\"/api\"]", ""), (missing.clone(), 1));
    assert_eq!(of("FROM example.org/tools\nCMD [\"/api\"]", ""), (missing, 1));
    let whole = "FROM golang:1 AS build\nRUN go install github.com/pressly/goose/v3/cmd/goose@latest\nWORKDIR /src\nCOPY . .\n\
        FROM alpine:3\nCOPY --from=build /go/bin/goose /usr/local/bin/\nCOPY --from=build /src/db /db\nCMD [\"/api\"]";
    assert_eq!(of(whole, ""), ("goose -dir /db/migrations up".to_owned(), 1));
    let itself = "//- /api/main.go\npackage main\nfunc main() { goose.Up(db, \"x\") }\n";
    assert_eq!(of(whole, itself).0, "");
}

#[test]
fn plain_files_run_in_the_image_of_their_tool() {
    let of = |files: &str| told(&format!("//- /api/Dockerfile\nFROM scratch\nCMD [\"/api\"]\n{files}")).0;
    assert_eq!(
        of("//- /api/migrations/1_x.up.sql\nSELECT 1;\n"),
        "-path /migrations -database {url} -verbose up over api/migrations"
    );
    assert_eq!(
        of("//- /api/a/migrations/1_x.up.sql\n-\n//- /api/b/migrations/1_x.up.sql\n-\n"),
        "it keeps migrations in several folders"
    );
    assert_eq!(
        of("//- /api/flyway.conf\n-\n//- /api/sql/V1__x.sql\n-\n"),
        "-locations=filesystem:/migrations -connectRetries=10 migrate over api/sql"
    );
    assert_eq!(of("//- /api/flyway.conf\n-\n"), "no file as V1__name.sql is seen");
    assert_eq!(
        of("//- /api/liquibase.properties\nchangeLogFile=db/log.xml\n//- /api/db/log.xml\n-\n"),
        "--search-path=/migrations --changelog-file=db/log.xml update over api"
    );
}

/// A package of Node.js: its Dockerfile below FROM, and its manifest.
fn node(dockerfile: &str, manifest: &str, more: &str) -> String {
    told(&format!(
        "//- /api/Dockerfile\nFROM node:20-slim\nWORKDIR /app\n{dockerfile}\nCMD [\"node\", \"x.js\"]\n\
         //- /api/package.json\n{manifest}\n//- /api/migrations/1.js\n-\n{more}"
    ))
    .0
}

const KNEX: &str = r#"{"scripts":{"migrate":"knex migrate:latest"},"dependencies":{"knex":"3"}}"#;
const KNEXFILE: &str = "//- /api/knexfile.js\nmodule.exports = { connection: process.env.DATABASE_URL }\n";

#[test]
fn a_package_has_to_be_in_the_image_with_its_files() {
    let all = "COPY . .\nRUN npm ci";
    let runs = "npm run migrate";
    assert_eq!(node(all, KNEX, KNEXFILE), runs);
    assert_eq!(node(all, KNEX, ""), "no configuration of knex is seen");
    assert_eq!(
        node(all, KNEX, "//- /api/knexfile.js\nhost: 'localhost'\n"),
        "the address in api/knexfile.js is fixed"
    );
    assert_eq!(node("COPY x.js .\nRUN npm ci", KNEX, KNEXFILE), "api/package.json is not seen in its image");
    assert_eq!(
        node("COPY package.json ./\nRUN npm ci\nCOPY src ./src", KNEX, KNEXFILE),
        "api/knexfile.js is not seen at /app/knexfile.js in its image"
    );
    assert_eq!(node("COPY . .", KNEX, KNEXFILE), "how its packages get into its image is not seen");
    let dev = KNEX.replace("dependencies", "devDependencies");
    assert_eq!(node(all, &dev, KNEXFILE), runs);
    let lacks = "`knex` is a development dependency, and its image has none of these";
    assert_eq!(node("COPY . .\nRUN npm ci --omit=dev", &dev, KNEXFILE), lacks);
    assert_eq!(node("ENV NODE_ENV=production\nCOPY . .\nRUN npm ci", &dev, KNEXFILE), lacks);
    assert_eq!(node("COPY . .\nRUN npm ci\nRUN npm prune --production", &dev, KNEXFILE), lacks);
    let other = KNEX.replace("knex migrate:latest", "./migrate.sh");
    assert_eq!(
        node(all, &other, KNEXFILE),
        "whether `./migrate.sh`, which it calls, is in its image is not known"
    );
}

#[test]
fn files_are_followed_through_the_stages() {
    let staged = "COPY . .\nRUN npm ci\nFROM node:20-slim\nWORKDIR /srv\nCOPY --from=0 /app .";
    assert_eq!(node(staged, KNEX, KNEXFILE), "npm run migrate");
    let parts = "COPY . .\nRUN npm ci\nFROM node:20-slim\nWORKDIR /srv\nCOPY --from=0 /app/node_modules ./node_modules\n\
        COPY package.json knexfile.js ./\nCOPY migrations ./migrations";
    assert_eq!(node(parts, KNEX, KNEXFILE), "npm run migrate");
    let without = parts.replace("COPY migrations ./migrations", "");
    assert_eq!(node(&without, KNEX, KNEXFILE), "api/migrations is not seen at /srv/migrations in its image");
}

#[test]
fn each_tool_of_a_package_needs_its_own_files() {
    let all = "COPY . .\nRUN npm ci";
    let prisma = r#"{"dependencies":{"prisma":"5","@prisma/client":"5"}}"#;
    let schema = "//- /api/prisma/schema.prisma\n-\n//- /api/prisma/migrations/migration_lock.toml\n-\n\
        //- /api/prisma/migrations/1/migration.sql\n-\n";
    assert_eq!(node(all, prisma, schema), "npx prisma migrate deploy");
    assert_eq!(
        node("COPY package.json ./\nRUN npm ci\nCOPY prisma/schema.prisma ./prisma/", prisma, schema),
        "api/prisma/migrations is not seen at /app/prisma/migrations in its image"
    );
    let global = prisma.replace("\"prisma\":\"5\",", "");
    assert_eq!(
        node(&format!("RUN npm install -g prisma\n{all}"), &global, schema),
        "npx prisma migrate deploy"
    );
    assert_eq!(node(all, &global, schema), "`prisma` stands not in api/package.json");

    let typeorm = |source: &str| {
        format!(
            r#"{{"scripts":{{"migration:run":"typeorm migration:run -d {source}"}},"dependencies":{{"typeorm":"0.3"}}}}"#
        )
    };
    assert_eq!(
        node(&format!("{all}\nRUN npm run build"), &typeorm("dist/source.js"), ""),
        "npm run migration:run"
    );
    assert_eq!(node(all, &typeorm("dist/source.js"), ""), "`dist/source.js` is not seen in its image");
    let source = "//- /api/source.js\n-\n";
    assert_eq!(node(all, &typeorm("./source.js"), source), "npm run migration:run");

    let sequelize =
        r#"{"scripts":{"db:migrate":"sequelize-cli db:migrate"},"dependencies":{"sequelize-cli":"6"}}"#;
    let config = |text: &str| format!("//- /api/config/config.json\n{text}\n");
    assert_eq!(
        node(all, sequelize, &config("{\"use_env_variable\":\"DATABASE_URL\"}")),
        "npm run db:migrate"
    );
    assert_eq!(
        node(all, sequelize, &config("{\"host\":\"127.0.0.1\"}")),
        "the address in api/config/config.json is fixed"
    );
    let rc = "//- /api/.sequelizerc\npath.resolve('src', 'database.js')\n//- /api/src/database.js\nprocess.env.DB_HOST\n";
    assert_eq!(node(all, sequelize, rc), "npm run db:migrate");

    for (script, word) in [
        ("knex migrate:rollback --all && knex migrate:latest", "rollback"),
        ("knex migrate:latest && knex seed:run", "seed"),
        ("prisma db push --accept-data-loss", "--accept-data-loss"),
    ] {
        let costly =
            format!(r#"{{"scripts":{{"migrate":"{script}"}},"dependencies":{{"knex":"3","prisma":"5"}}}}"#);
        let said = format!("its script `migrate` does more than to migrate (`{word}`)");
        assert_eq!(node(all, &costly, KNEXFILE), said);
    }

    let own = r#"{"scripts":{"migrate":"node --enable-source-maps scripts/migrate.js"}}"#;
    assert_eq!(node(all, own, "//- /api/scripts/migrate.js\n-\n"), "npm run migrate");
    assert_eq!(node(all, own, ""), "`scripts/migrate.js` is not seen in its image");
}

#[test]
fn what_the_start_script_does_first_is_the_services_own() {
    let manifest = r#"{"scripts":{"start:prod":"npm run migrate && node x.js","migrate":"knex migrate:latest"},"dependencies":{"knex":"3"}}"#;
    let own = "COPY . .\nRUN npm ci\nCMD [\"npm\", \"run\", \"start:prod\"]\nLABEL x=y";
    let tree =
        format!("//- /api/Dockerfile\nFROM node:20\n{own}\n//- /api/package.json\n{manifest}\n{KNEXFILE}");
    assert_eq!(told(&tree), (String::new(), 2));
}

/// A service with Alembic: its Dockerfile below FROM, its requirements, and more files.
fn alembic(dockerfile: &str, requirements: &str, more: &str) -> String {
    told(&format!(
        "//- /api/Dockerfile\nFROM python:3.13-slim\nWORKDIR /app\n{dockerfile}\n//- /api/requirements.txt\n{requirements}\n\
         //- /api/alembic/versions/1.py\n-\n{more}"
    ))
    .0
}

#[test]
fn alembic_needs_its_package_its_files_and_an_address() {
    let ini = "//- /api/alembic.ini\n[alembic]\nscript_location = alembic\nprepend_sys_path = .\n";
    let env = "//- /api/alembic/env.py\nurl = os.environ['DATABASE_URL']\n";
    let all = "COPY . .\nRUN pip install -r requirements.txt\nCMD [\"uvicorn\", \"main:app\"]";
    let of = |dockerfile: &str| alembic(dockerfile, "alembic==1.13", &format!("{ini}{env}"));
    assert_eq!(of(all), "alembic upgrade head");
    assert_eq!(
        of("COPY . /srv\nRUN pip install -r /srv/requirements.txt\nCMD [\"x\"]"),
        "alembic upgrade head in /srv"
    );
    assert_eq!(
        of("COPY . .\nRUN poetry install\nCMD [\"poetry\", \"run\", \"x\"]"),
        "poetry run alembic upgrade head"
    );
    assert_eq!(
        of("COPY . .\nRUN uv sync\nCMD [\"/app/.venv/bin/uvicorn\", \"x\"]"),
        "/app/.venv/bin/alembic upgrade head"
    );
    assert_eq!(
        of("COPY . .\nRUN poetry install\nCMD [\"x\"]"),
        "its packages are in an environment that its PATH does not name"
    );
    assert_eq!(
        of("COPY main.py .\nRUN pip install x\nCMD [\"x\"]"),
        "api/alembic.ini is not seen in its image"
    );
    assert_eq!(alembic(all, "fastapi", &format!("{ini}{env}")), "`alembic` stands in none of its manifests");
    let fixed = "//- /api/alembic/env.py\nrun()\n";
    assert_eq!(alembic(all, "alembic", &format!("{ini}{fixed}")), "the address in api/alembic.ini is fixed");
    let old = ini.replace("prepend_sys_path = .\n", "");
    assert_eq!(alembic(all, "alembic", &format!("{old}{env}")), "python -m alembic upgrade head");
    let script = "//- /api/start.sh\nalembic upgrade head\nexec uvicorn main:app\n";
    let itself = all.replace("\"uvicorn\", \"main:app\"", "\"./start.sh\"");
    assert_eq!(alembic(&itself, "alembic", &format!("{ini}{env}{script}")), "");
}

#[test]
fn tools_of_frameworks_need_the_program_and_its_libraries() {
    let of = |base: &str, run: &str, files: &str| {
        told(&format!(
            "//- /api/Dockerfile\nFROM {base}\nWORKDIR /app\nCOPY . .\nRUN {run}\nCMD [\"x\"]\n{files}"
        ))
        .0
    };
    let laravel = "//- /api/artisan\n-\n//- /api/database/migrations/1.php\n-\n";
    assert_eq!(of("php:8-fpm", "composer install", laravel), "php artisan migrate --force");
    assert_eq!(of("php:8-fpm", "true", laravel), "`composer install` is not seen in its build");
    let django = "//- /api/manage.py\nimport django\n//- /api/requirements.txt\nDjango==5\n";
    assert_eq!(
        of("python:3.13", "pip install -r requirements.txt", django),
        "python manage.py migrate --noinput"
    );
    let rails = "//- /api/bin/rails\n-\n//- /api/db/schema.rb\n-\n//- /api/db/migrate/1.rb\n-\n";
    assert_eq!(of("ruby:3.3", "bundle install", rails), "bin/rails db:migrate");
    let ef = "//- /api/Migrations/ShopModelSnapshot.cs\n-\n";
    assert_eq!(
        of("mcr.microsoft.com/dotnet/aspnet:8.0", "true", ef),
        "`dotnet ef` is a part of the SDK, which its image has not"
    );
}

#[test]
fn calls_are_told_by_their_words() {
    assert_eq!(called("cd api && alembic upgrade head").map(|(tool, _)| tool), Some("alembic"));
    assert_eq!(called("bundle exec rails db:migrate RAILS_ENV=x").map(|(tool, _)| tool), Some("rails"));
    assert_eq!(called("npm start"), None);
}

#[test]
fn what_npm_runs_around_a_script_counts_as_the_script() {
    let of = |scripts: &str| {
        let manifest =
            format!(r#"{{"scripts":{{{scripts}}},"dependencies":{{"knex":"3","drizzle-kit":"1"}}}}"#);
        let config = "//- /api/drizzle.config.ts\nexport default { url: process.env.DATABASE_URL }\n";
        node("COPY . .\nRUN npm ci", &manifest, &format!("{KNEXFILE}{config}"))
    };
    let migrate = r#""migrate":"knex migrate:latest""#;
    assert_eq!(of(migrate), "npm run migrate");
    assert_eq!(of(&format!(r#"{migrate},"premigrate":"knex migrate:latest""#)), "npm run migrate");
    let more = |name: &str, word: &str| format!("its script `{name}` does more than to migrate (`{word}`)");
    assert_eq!(
        of(&format!(r#"{migrate},"premigrate":"knex migrate:rollback""#)),
        more("premigrate", "rollback")
    );
    assert_eq!(of(&format!(r#"{migrate},"postmigrate":"knex seed:run""#)), more("postmigrate", "seed"));
    let drizzle = |options: &str| of(&format!(r#""migrate":"drizzle-kit push {options}""#));
    assert_eq!(drizzle("--force"), more("migrate", "--force"));
    assert_eq!(drizzle("--drop-tables"), more("migrate", "--drop-tables"));
}

#[test]
fn scripts_and_copies_in_circles_cost_no_time() {
    let started = std::time::Instant::now();
    let many = |call: &str| vec![call; 1000].join(" && ");
    let scripts = format!(
        r#"{{"scripts":{{"migrate":"{}","b":"{}"}},"dependencies":{{"knex":"3"}}}}"#,
        many("npm run b"),
        many("npm run migrate")
    );
    let copies: String = (0..60).fold(String::new(), |all, n| format!("{all}COPY --from=it . /c{n}\n"));
    let dockerfile =
        format!("COPY . .\nRUN npm ci\nFROM node:20-slim AS it\nWORKDIR /app\nCOPY . .\n{copies}");
    let _ = node(&dockerfile, &scripts, KNEXFILE);
    let manifest = serde_json::from_str(&scripts).expect("it is JSON");
    assert_eq!(called(&npm::scripts(&manifest, "migrate", 4)), None);
    assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
}
