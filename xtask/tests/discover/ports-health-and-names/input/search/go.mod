module example.org/search
