module.exports = connect(process.env.AMQP_URL || 'amqp://localhost:5672');
