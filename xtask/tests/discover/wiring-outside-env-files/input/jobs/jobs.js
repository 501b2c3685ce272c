const queue = new Redis({ host: 'redis', port: 6379 });
