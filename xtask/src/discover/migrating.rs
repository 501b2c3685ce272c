//! Which migration tool a command calls, by the words of the call; runs nothing.

/// Words of a call, and the tool.
const CALLS: &[(&str, &str)] = &[
    ("alembic upgrade", "alembic"),
    ("artisan migrate", "laravel"),
    ("diesel migration run", "diesel"),
    ("doctrine:migrations:migrate", "doctrine"),
    ("dotnet ef database update", "ef-core"),
    ("drizzle-kit migrate", "drizzle"),
    ("drizzle-kit push", "drizzle"),
    ("ecto.migrate", "ecto"),
    ("Release.migrate", "ecto"),
    ("flask db upgrade", "alembic"),
    ("flyway migrate", "flyway"),
    ("goose up", "goose"),
    ("knex migrate:latest", "knex"),
    ("liquibase update", "liquibase"),
    ("manage.py migrate", "django"),
    ("migrate -path", "golang-migrate"),
    ("migrate-mongo up", "migrate-mongo"),
    ("prisma db push", "prisma"),
    ("prisma migrate deploy", "prisma"),
    ("rails db:migrate", "rails"),
    ("rails db:prepare", "rails"),
    ("rake db:migrate", "rails"),
    ("sea-orm-cli migrate up", "sea-orm"),
    ("sequelize db:migrate", "sequelize"),
    ("sequelize-cli db:migrate", "sequelize"),
    ("sqlx migrate run", "sqlx"),
    ("typeorm migration:run", "typeorm"),
];

/// The tool, and where in the text its call stands.
pub(super) fn called(text: &str) -> Option<(&'static str, usize)> {
    let calls = CALLS.iter().filter_map(|(call, tool)| Some((*tool, text.find(call)?)));
    calls.min_by_key(|(_, at)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_by_their_words() {
        assert_eq!(called("cd api && alembic upgrade head").map(|(tool, _)| tool), Some("alembic"));
        assert_eq!(called("bundle exec rails db:migrate RAILS_ENV=x").map(|(tool, _)| tool), Some("rails"));
        assert_eq!(called("npm start"), None);
    }
}
