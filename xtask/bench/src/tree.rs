//! A generated monorepo of any size, the same for the same size: services in five languages with what lies around them.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::scratch::write;

/// How large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) services: usize,
    /// All but what nobody reads: `node_modules` and build results come on top, a fifth as many.
    pub(crate) files: usize,
}

impl Size {
    /// Half of everything.
    pub(crate) fn half(self) -> Size {
        Size { services: (self.services / 2).max(1), files: self.files / 2 }
    }
}

/// How a language looks on disk.
struct Language {
    extension: &'static str,
    manifest: (&'static str, &'static str),
    base: &'static str,
    comment: &'static str,
    /// Reads `NAME` from the environment.
    read: fn(&str) -> String,
    /// Functions, most of which say nothing about the service.
    functions: &'static [&'static [&'static str]],
    /// What nobody reads: build results and other people's code.
    skipped: &'static str,
}

const LANGUAGES: [Language; 5] = [
    Language {
        extension: "ts",
        manifest: (
            "package.json",
            "{\n  \"name\": \"@shop/service\",\n  \"scripts\": { \"start\": \"node dist/main.js\" },\n  \
             \"dependencies\": { \"express\": \"^4.19.2\", \"pg\": \"^8.11.5\" }\n}\n",
        ),
        base: "node:20-slim",
        comment: "//",
        read: |name| format!("export const {} = process.env.{name} ?? '';", name.to_lowercase()),
        functions: &[
            &[
                "export async function loadOrders(client: Client, limit: number): Promise<Order[]> {",
                "  const rows = await client.query('SELECT id, total FROM orders LIMIT $1', [limit]);",
                "  return rows.map((row) => ({ id: row.id, total: Number(row.total) }));",
                "}",
            ],
            &[
                "function sumOf(lines: Line[]): Money {",
                "  if (lines.length === 0) return Money.zero('EUR');",
                "  return lines.reduce((sum, line) => sum.plus(line.price.times(line.quantity)), Money.zero('EUR'));",
                "}",
            ],
            &[
                "export class OrderTotals {",
                "  private readonly totals = new Map<string, Money>();",
                "  add(order: Order): void {",
                "    const before = this.totals.get(order.customer) ?? Money.zero(order.currency);",
                "    this.totals.set(order.customer, before.plus(order.total));",
                "  }",
                "}",
            ],
            &[
                "router.get('/orders/:id', async (request, response) => {",
                "  const order = await orders.byId(request.params.id);",
                "  if (!order) return response.status(404).json({ message: 'no such order' });",
                "  response.json(order);",
                "});",
            ],
        ],
        skipped: "node_modules",
    },
    Language {
        extension: "py",
        manifest: (
            "requirements.txt",
            "fastapi==0.111.0\nuvicorn==0.30.1\npsycopg[binary]==3.1.19\nhttpx==0.27.0\n",
        ),
        base: "python:3.13-slim",
        comment: "#",
        read: |name| format!("{name} = os.environ[\"{name}\"]"),
        functions: &[
            &[
                "def load_orders(connection, limit):",
                "    with connection.cursor() as cursor:",
                "        cursor.execute(\"SELECT id, total FROM orders LIMIT %s\", (limit,))",
                "        return [Order(id=row[0], total=row[1]) for row in cursor.fetchall()]",
            ],
            &[
                "def total_of(lines: list[Line]) -> Decimal:",
                "    if not lines:",
                "        return Decimal(0)",
                "    return sum((line.price * line.quantity for line in lines), start=Decimal(0))",
            ],
            &[
                "@dataclass(frozen=True)",
                "class Refund:",
                "    order: str",
                "    amount: Decimal",
                "    reason: str | None = None",
                "",
                "    def is_whole(self, order):",
                "        return self.amount == order.total",
            ],
            &[
                "@router.get(\"/orders/{order_id}\")",
                "def read_order(order_id: str, orders: Orders = Depends(orders)):",
                "    order = orders.by_id(order_id)",
                "    if order is None:",
                "        raise HTTPException(status_code=404, detail=\"no such order\")",
                "    return order",
            ],
        ],
        skipped: ".venv",
    },
    Language {
        extension: "rs",
        manifest: (
            "Cargo.toml",
            "[package]\nname = \"service\"\nversion = \"0.1.0\"\n\n[dependencies]\naxum = \"0.7\"\n\
             sqlx = { version = \"0.8\", features = [\"postgres\"] }\n",
        ),
        base: "rust:1.85-slim",
        comment: "//",
        read: |name| format!("let {} = std::env::var(\"{name}\").unwrap_or_default();", name.to_lowercase()),
        functions: &[
            &[
                "pub async fn load_orders(pool: &Pool, limit: i64) -> Result<Vec<Order>, Error> {",
                "    let rows = query(\"SELECT id, total FROM orders LIMIT $1\").bind(limit).fetch_all(pool).await?;",
                "    Ok(rows.into_iter().map(|row| Order { id: row.id, total: row.total }).collect())",
                "}",
            ],
            &[
                "fn total_of(lines: &[Line]) -> Money {",
                "    if lines.is_empty() {",
                "        return Money::zero(Currency::Eur);",
                "    }",
                "    lines.iter().map(|line| line.price * line.quantity).sum()",
                "}",
            ],
            &[
                "#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]",
                "pub struct Refund {",
                "    pub order: OrderId,",
                "    pub amount: Money,",
                "    pub reason: Option<String>,",
                "}",
            ],
            &[
                "impl Totals {",
                "    pub fn add(&mut self, order: &Order) {",
                "        let before = self.by_customer.entry(order.customer.clone()).or_default();",
                "        *before += order.total;",
                "    }",
                "}",
            ],
        ],
        skipped: "target",
    },
    Language {
        extension: "go",
        manifest: (
            "go.mod",
            "module example.org/shop/service\n\ngo 1.24\n\nrequire github.com/lib/pq v1.10.9\n",
        ),
        base: "golang:1.24",
        comment: "//",
        read: |name| format!("var {} = os.Getenv(\"{name}\")", name.to_lowercase()),
        functions: &[
            &[
                "func LoadOrders(ctx context.Context, db *sql.DB, limit int) ([]Order, error) {",
                "\trows, err := db.QueryContext(ctx, \"SELECT id, total FROM orders LIMIT $1\", limit)",
                "\tif err != nil {",
                "\t\treturn nil, fmt.Errorf(\"load orders: %w\", err)",
                "\t}",
                "\treturn scanOrders(rows)",
                "}",
            ],
            &[
                "func totalOf(lines []Line) Money {",
                "\tvar total Money",
                "\tfor _, line := range lines {",
                "\t\ttotal = total.Plus(line.Price.Times(line.Quantity))",
                "\t}",
                "\treturn total",
                "}",
            ],
            &["type Refund struct {", "\tOrder  string", "\tAmount Money", "\tReason *string", "}"],
            &[
                "func (h *Handler) readOrder(w http.ResponseWriter, r *http.Request) {",
                "\torder, err := h.orders.ByID(r.Context(), chi.URLParam(r, \"id\"))",
                "\tif errors.Is(err, ErrNotFound) {",
                "\t\thttp.Error(w, \"no such order\", http.StatusNotFound)",
                "\t\treturn",
                "\t}",
                "\twriteJSON(w, order)",
                "}",
            ],
        ],
        skipped: "vendor",
    },
    Language {
        extension: "java",
        manifest: (
            "pom.xml",
            "<project>\n  <artifactId>service</artifactId>\n  <dependencies>\n    <dependency>\
             <groupId>org.postgresql</groupId><artifactId>postgresql</artifactId></dependency>\n  \
             </dependencies>\n</project>\n",
        ),
        base: "eclipse-temurin:21-jre",
        comment: "//",
        read: |name| format!("  static final String {name} = System.getenv(\"{name}\");"),
        functions: &[
            &[
                "  public List<Order> loadOrders(Connection connection, int limit) throws SQLException {",
                "    try (var query = connection.prepareStatement(\"SELECT id, total FROM orders LIMIT ?\")) {",
                "      query.setInt(1, limit);",
                "      return scan(query.executeQuery());",
                "    }",
                "  }",
            ],
            &[
                "  static Money totalOf(List<Line> lines) {",
                "    return lines.stream().map(line -> line.price().times(line.quantity())).reduce(Money.ZERO, Money::plus);",
                "  }",
            ],
            &[
                "  public record Refund(OrderId order, Money amount, Optional<String> reason) {",
                "    boolean isWhole(Order order) {",
                "      return amount.equals(order.total());",
                "    }",
                "  }",
            ],
            &[
                "  @GetMapping(\"/orders/{id}\")",
                "  Order readOrder(@PathVariable String id) {",
                "    return orders.byId(id).orElseThrow(() -> new NotFoundException(\"no such order\"));",
                "  }",
            ],
        ],
        skipped: "target",
    },
];

/// Names of the files that `inventory` may want to read besides those of [`is_source`].
const READ_BY_NAME: [&str; 8] = [
    "Dockerfile",
    ".env.example",
    "package.json",
    "requirements.txt",
    "Cargo.toml",
    "go.mod",
    "pom.xml",
    "README.md",
];

/// Whether a file of the tree has to be read to know the services: its own code and what describes it, not tests,
/// not data.
pub(crate) fn counts(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    READ_BY_NAME.contains(&name)
        || (is_source(path) && !path.components().any(|part| part.as_os_str() == "tests"))
}

fn is_source(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    LANGUAGES.iter().any(|language| language.extension == extension)
}

/// Writes the tree below `root`.
pub(crate) fn generate(root: &Path, size: Size) -> Result<()> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    write(&root.join(".gitignore"), "node_modules/\ntarget/\ndist/\n.venv/\n.env\n")?;
    write(&root.join("README.md"), "# Shop\n\nA shop of many services.\n")?;
    let each = (size.files.saturating_sub(2) / size.services.max(1)).max(8);
    for number in 0..size.services {
        crate::scratch::check()?;
        service(&root.join(format!("workspace/code/{}", name(number))), number, each, size, &mut random)?;
    }
    Ok(())
}

fn name(number: usize) -> String {
    const WORDS: [&str; 8] = ["orders", "billing", "stock", "search", "mail", "rates", "users", "media"];
    format!("{}-{number:04}", WORDS[number % WORDS.len()])
}

fn service(folder: &Path, number: usize, files: usize, size: Size, random: &mut Random) -> Result<()> {
    let language = &LANGUAGES[number % LANGUAGES.len()];
    let port = 3000 + number % 5000;
    let (manifest, text) = language.manifest;
    write(&folder.join(manifest), text)?;
    write(
        &folder.join("Dockerfile"),
        format!(
            "FROM {}\nWORKDIR /app\nCOPY . .\nEXPOSE {port}\nUSER 10001:10001\nCMD [\"/app/start\"]\n",
            language.base
        ),
    )?;
    // Calls two of those before it, so that the graph has no cycles.
    let called: Vec<usize> = if number > 1 { vec![number / 2, number - 1] } else { Vec::new() };
    let mut env = format!("PORT={port}\nDATABASE_URL=postgresql://app:secret@localhost:5432/app_{number}\n");
    for other in &called {
        let upper = name(*other).to_uppercase().replace('-', "_");
        let _ = writeln!(
            env,
            "# The {} service\n{upper}_URL=http://{}:{}",
            name(*other),
            name(*other),
            3000 + other % 5000
        );
    }
    if number.is_multiple_of(3) {
        env.push_str("REDIS_URL=redis://localhost:6379/0\n");
    }
    write(&folder.join(".env.example"), &env)?;
    let readme = format!(
        "# {}\n\nListens on port {port}, answers on `GET /health`.\n\n{}",
        name(number),
        prose(random)
    );
    write(&folder.join("README.md"), readme)?;
    let names: Vec<&str> =
        env.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    for index in 0..files - 4 {
        match index % 20 {
            0..=12 => {
                let path = format!("src/module{}/part{index}.{}", index / 10, language.extension);
                write(&folder.join(path), source(language, &names, index, random))?;
            }
            13..=15 => {
                let path = format!("tests/case{index}.{}", language.extension);
                write(&folder.join(path), source(language, &names, 1, random))?;
            }
            16 => write(&folder.join(format!("docs/topic{index}.md")), prose(random))?,
            17 => write(&folder.join(format!("src/data/table{index}.json")), data(random))?,
            18 => write(&folder.join(format!("assets/image{index}.png")), picture(random))?,
            _ => write(
                &folder.join(format!("src/styles/sheet{index}.css")),
                ".a { color: #123; }\n".repeat(60),
            )?,
        }
    }
    // Other people's code, in few large packages, a fifth as many files in all.
    let skipped = if size.files >= size.services { files / 5 } else { 0 };
    for index in 0..skipped {
        let path = format!("{}/package{}/file{index}.js", language.skipped, index / 8);
        write(&folder.join(path), "module.exports = () => process.env.NOBODY_READS_THIS;\n".repeat(40))?;
    }
    Ok(())
}

/// A source file; the first of a service and every 15th after it say something about the service.
fn source(language: &Language, names: &[&str], index: usize, random: &mut Random) -> String {
    let mut text = String::new();
    if index.is_multiple_of(15) {
        for name in names {
            text.push_str(&(language.read)(name));
            text.push('\n');
        }
    }
    // From a few lines to a thousand, about a hundred on average.
    let square = random.below(32) * random.below(32) / 8 + 3;
    for part in 0..square {
        let _ = writeln!(text, "\n{} Part {part}: loads what was asked for, newest first.", language.comment);
        for line in language.functions[random.below(language.functions.len())] {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn prose(random: &mut Random) -> String {
    "Orders are kept for ten years, and every change of one is written down with its reason.\n"
        .repeat(random.below(30) + 2)
}

fn data(random: &mut Random) -> String {
    let rows: Vec<String> =
        (0..random.below(200)).map(|row| format!("{{ \"id\": {row}, \"name\": \"row {row}\" }}")).collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

fn picture(random: &mut Random) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.resize(bytes.len() + random.below(12_000), 0x5a);
    bytes
}

/// SplitMix64: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_data_do_not_count() {
        for (path, expected) in [
            ("workspace/code/a/src/part1.ts", true),
            ("workspace/code/a/Dockerfile", true),
            ("workspace/code/a/tests/case1.ts", false),
            ("workspace/code/a/src/data/table1.json", false),
        ] {
            assert_eq!(counts(Path::new(path)), expected, "{path}");
        }
    }
}
