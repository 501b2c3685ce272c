package orders

import (
	"net/http"

	"github.com/jackc/pgx/v5"
	"example.org/shop/pkg/log"
)

func Serve() { http.ListenAndServe(":8080", nil) }
