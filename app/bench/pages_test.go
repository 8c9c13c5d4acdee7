package bench

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

// The pages are measured over so many, and as many events and deliveries as
// benchSizes say, or SITEHOOKS_BENCH_ROWS.
const (
	benchWebhooks  = 2_000
	benchLocations = 300
)

// A page is asked for until one of these is reached.
const (
	pageRequests = 50
	pageTime     = 3 * time.Second
)

// limitedEmail is that of a member who is limited to limitedTo.
const limitedEmail = "limited@example.com"

var limitedTo = []string{"team-3", "team-44", "team-151"}

// BenchmarkPages measures the server's time for each page and for the list of
// deliveries of the API, over a database of a large installation: one request
// after the other, on this machine. The variables are those of
// BenchmarkSitehooks: the cases are history/postgres and history/sqlite.
func BenchmarkPages(b *testing.B) {
	selected, err := regexp.Compile(os.Getenv("BENCH"))
	ok(b, err)
	rows := fullSizes.rows
	if os.Getenv("BENCH_QUICK") != "" {
		rows = quickSizes.rows
	}
	if text := os.Getenv("SITEHOOKS_BENCH_ROWS"); text != "" {
		rows, err = strconv.Atoi(text)
		ok(b, err)
	}
	r := report{Measured: time.Now().UTC().Format(time.DateOnly), Short: rows < fullSizes.rows, Machine: described(b)}
	for _, kind := range []string{"postgres", "sqlite"} {
		if !selected.MatchString("history/" + kind) {
			continue
		}
		b.Run(kind, func(b *testing.B) {
			env, token := bigDatabase(b, kind, rows)
			r.Cases = append(r.Cases, measurePages(b, kind, env, token, rows)...)
		})
	}
	r.print(os.Stdout)
	if path := os.Getenv("BENCH_JSON"); path != "" && len(r.Cases) > 0 && !r.Short {
		ok(b, r.write(path, caseNames()))
	}
}

// measurePages serves a database and measures what is read from it.
func measurePages(b *testing.B, kind string, env []string, token string, rows int) []outcome {
	b.Helper()
	in := apptest.Serve(b, env, "SITEHOOKS_LOG_LEVEL=warn")
	m := pageTimes{bench: b, of: map[string][]figures{}}
	m.pages("", in.Login(), apptest.Pages(rows))
	m.pages("limited ", in.LoginAs(limitedEmail), apptest.LimitedPages(rows))
	m.list(in, token, rows)
	return m.outcomes(kind)
}

// historyCases are the groups of BenchmarkPages in their order.
func historyCases(kind string) []string {
	var names []string
	for _, group := range append(slices.Clone(apptest.Groups), apptest.OtherPages) {
		names = append(names, "history/"+kind+"/"+group)
	}
	for _, group := range apptest.Groups {
		names = append(names, "history/"+kind+"/limited "+group)
	}
	for _, section := range listParts {
		names = append(names, "history/"+kind+"/API, "+section)
	}
	return names
}

// bigDatabase fills a new database. It returns the environment that serves it,
// and a token that may read.
func bigDatabase(b *testing.B, kind string, rows int) (env []string, token string) {
	b.Helper()
	const seal = "SITEHOOKS_SECRET_KEY="
	env = append(apptest.Environment(b, kind), seal+base64.StdEncoding.EncodeToString(modelstest.Key()))
	box, err := secret.NewBox(modelstest.Key())
	ok(b, err)
	o := models.Options{Box: box}
	for _, setting := range env {
		switch name, value, _ := strings.Cut(setting, "="); name {
		case "SITEHOOKS_DATA_DIR":
			o.DataDir = value
		case "DATABASE_URL":
			o.DatabaseURL = value
		}
	}
	s, err := models.Open(b.Context(), o)
	ok(b, err)
	defer s.Close()
	started := time.Now()
	// Before there are webhooks: switched on, it would have each of them looked at.
	ok(b, s.Settings.Change(b.Context(), models.Actor{Name: "Mary Wilkins"}, models.EnableGenericWebhooks, "True", "for the measurement"))
	modelstest.Fill(b, s, modelstest.Size{Webhooks: benchWebhooks, Events: rows, Deliveries: rows, Locations: benchLocations})
	b.Logf("filled with %d events and deliveries in %s", rows, time.Since(started).Round(time.Second))
	return env, readers(b, s)
}

// readers makes the members who read the pages. It returns a token that may read.
func readers(b *testing.B, s *models.Store) string {
	b.Helper()
	hash, err := passwords.Hash(apptest.AdminPassword)
	ok(b, err)
	for _, u := range []models.User{{Email: apptest.AdminEmail}, {Email: limitedEmail, Limited: true, Locations: limitedTo}} {
		u.Name, u.PasswordHash, u.Role = "Mary Wilkins", hash, models.RoleAdministrator
		_, err = s.Users.Create(b.Context(), u)
		ok(b, err)
	}
	token, err := s.Tokens.Create(b.Context(), models.Token{Name: "Reader", Scope: models.ScopeRead})
	ok(b, err)
	return token
}

// pageTimes are the times of pages, by group.
type pageTimes struct {
	bench *testing.B
	of    map[string][]figures
}

// pages asks for each page again and again.
func (m pageTimes) pages(prefix string, by *apptest.Browser, pages []apptest.Page) {
	for _, page := range pages {
		m.measure(prefix+page.Group(), prefix+page.Name, func() bool {
			a := by.Ask(page)
			if !page.Answered(a) {
				m.bench.Fatalf("%s: %d %s", page.Path, a.Code, a.Body)
			}
			return true
		})
	}
}

// measure does something again and again, until it returns false.
func (m pageTimes) measure(group, name string, do func() bool) {
	m.bench.Run(name, func(bench *testing.B) {
		do() // the first one fills caches of the database
		var times []time.Duration
		for began, more := time.Now(), true; more && len(times) < pageRequests && time.Since(began) < pageTime; {
			started := time.Now()
			more = do()
			times = append(times, time.Since(started))
		}
		slices.Sort(times)
		ms := func(share float64) float64 {
			return float64(times[int(share*float64(len(times)-1))].Microseconds()) / 1000
		}
		bench.ReportMetric(0, "ns/op")
		bench.ReportMetric(ms(0), "ms-least") // least affected by other processes on the machine
		bench.ReportMetric(ms(0.5), "ms-median")
		bench.ReportMetric(ms(0.99), "ms-p99")
		m.of[group] = append(m.of[group], figures{"p50 ms": ms(0.5), "p99 ms": ms(0.99)})
	})
}

// listParts are the parts of the list over the API that are read.
var listParts = []string{"first pages", "middle pages", "last pages"}

// list follows the pages of all deliveries over the API: from the newest on,
// from the middle on, and to the end.
func (m pageTimes) list(in *apptest.Instance, token string, rows int) {
	const size = 200
	for i, from := range []int{rows + 1, rows / 2, pageRequests * size} {
		cursor, seen := strconv.Itoa(from), 0
		m.measure("API, "+listParts[i], "api/deliveries/"+listParts[i], func() bool {
			a := in.Authorized(token, fmt.Sprintf("/api/v1/deliveries?limit=%d&cursor=%s", size, cursor))
			var page struct {
				Data []struct{}
				Next *string
			}
			if err := json.Unmarshal([]byte(a.Body), &page); a.Code != http.StatusOK || err != nil {
				m.bench.Fatalf("deliveries below %s: %d %s", cursor, a.Code, a.Body)
			}
			if seen += len(page.Data); page.Next == nil {
				if seen < from-1 {
					m.bench.Fatalf("the list ended after %d of %d deliveries", seen, from-1)
				}
				return false
			}
			cursor = *page.Next
			return true
		})
	}
}

// outcomes are the slowest page of each group.
func (m pageTimes) outcomes(kind string) []outcome {
	var all []outcome
	for _, name := range historyCases(kind) {
		pages := m.of[strings.TrimPrefix(name, "history/"+kind+"/")]
		f := figures{"pages": float64(len(pages))}
		for _, page := range pages {
			f["p50 ms"], f["p99 ms"] = max(f["p50 ms"], page["p50 ms"]), max(f["p99 ms"], page["p99 ms"])
		}
		all = append(all, outcome{Name: name, Figures: f})
	}
	return all
}
