exports.up = knex => knex.schema.createTable('items', table => { table.increments('id'); table.string('name').notNullable(); });
exports.down = knex => knex.schema.dropTable('items');
