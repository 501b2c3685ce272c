console.log(process.env.BACKUP_BUCKET)
