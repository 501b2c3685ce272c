const knex = require('knex')(require('./knexfile'));
knex('items').count('*').then(() => {
  require('http').createServer((request, answer) => {
    answer.statusCode = request.url === '/health' ? 200 : 404;
    answer.end();
  }).listen(process.env.PORT, '0.0.0.0');
}).catch(error => { console.error(error.message); process.exit(1); });
