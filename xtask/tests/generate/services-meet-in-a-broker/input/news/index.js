const amqp = require('amqplib');
amqp.connect(`${process.env.RABBITMQ_ENDPOINT}`);
