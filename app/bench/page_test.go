package bench

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var updatePage = flag.Bool("update", false, "write the page of performance anew from its figures")

// TestPerformancePage compares the page and its chart with the figures that
// they are made from, so that neither is changed by hand.
func TestPerformancePage(t *testing.T) {
	const docs = "../../docs"
	r, err := readReport(filepath.Join(docs, "performance.json"))
	ok(t, err)
	if len(r.Cases) == 0 {
		t.Fatal("docs/performance.json has no figures; make bench writes them")
	}
	var page, chart bytes.Buffer
	r.writePage(&page)
	r.writeChart(&chart)
	for name, want := range map[string][]byte{"performance.md": page.Bytes(), "performance.svg": chart.Bytes()} {
		path := filepath.Join(docs, name)
		if *updatePage {
			ok(t, os.WriteFile(path, want, 0o644))
			continue
		}
		got, err := os.ReadFile(path)
		ok(t, err)
		if !bytes.Equal(got, want) {
			t.Errorf("docs/%s is not what its figures say; write it anew with: make bench-docs", name)
		}
	}
}

// section is a part of the page: some cases, and their description.
type section struct {
	title string
	cases *regexp.Regexp
	text  string
	more  func(all []outcome) string // follows the text, from the figures of all cases; may be nil
}

var sections = []section{
	{title: "Throughput", cases: regexp.MustCompile(`^main/.*/(stackauth|generic)/`), text: "One webhook gets all events. With the type `stackauth` every event is one delivery, with `generic` up to 100 events share a body. " +
		"64 clients send one event a request, or 8 clients send requests of 100. *Accepted* counts events that were answered with 202, *delivered* those that arrived at the receiver; " +
		"*of raw* is delivered events against the requests of the raw loop in the same run; *CPU* is processor time of Sitehooks and PostgreSQL for 10,000 events, every outcome recorded."},
	{title: "The limit", cases: regexp.MustCompile(`^main/.*/limit`), text: "A minimal program sets the upper bound: it stores a row, posts it with a signature and records the response. It writes 500 rows with each statement and commit. " +
		"Its CPU is that of PostgreSQL and of its own process, which also sends the requests. Sitehooks has more to write for the same delivery: an event, a delivery and its attempt are a row each, written once and indexed for the searches of the console; " +
		"while they wait, the event has a row among the pending ones and the delivery one in the queue. Rows reach the database as one array a column, a delivery's body does not store again what its event has, and fresh deliveries reach their lane in memory. " +
		"PostgreSQL takes a third of the time with single requests, and less than half with requests of 100, mostly for writing these rows. " +
		"An event in a request of its own needs two requests over HTTP, and the raw loop makes one. " +
		"Of the process's time a sixth is system calls, nearly all for the network, and a seventh is memory and its collection; the rest is spread over HTTP, reading JSON, building bodies and talking to the database, none of which is more than a tenth. " +
		"With SQLite half of the time is SQLite's own, and one transaction writes at a time: dispatch reads and decides before its transaction begins to write."},
	{title: "A bare queue", cases: regexp.MustCompile(`^main/.*/bare queue/`), more: ofBareQueue, text: "A minimal queue on PostgreSQL with an HTTP API gets the same single requests from the same clients. " +
		"It stores an event and a delivery, and concurrent requests share a transaction. It claims deliveries in batches with `for update skip locked`, posts each with a signature, and records attempts and states in batches. " +
		"It has no history, no retries and no searches."},
	{title: "Latency", cases: regexp.MustCompile(`^main/.*/latency`), text: "200 events a second, one event a request, one delivery an event, without delay: from the moment at which the event was meant to be sent to its arrival at the receiver. " +
		"With an interval of 1 s an event waits for the next run of dispatch, half a second on average; with 0 it is dispatched on arrival."},
	{title: "After a burst", cases: regexp.MustCompile(`^bursts/`), text: "200 events a second with an interval of 0, directly after 5,000 events for the same webhook were accepted in requests of 100. " +
		"The latency is that of the 200 a second alone; the first of them wait until the burst is delivered."},
	{title: "Start and memory", cases: regexp.MustCompile(`/start `), text: "From the start of the process until `/readyz` says 200, and the memory of an idle instance. *Millions of rows* has 5,000,000 events and as many deliveries, attempts and triggers."},
	{title: "Webhooks that do not match", cases: regexp.MustCompile(`^growth/.*/webhooks that`), text: "The cost of an event in a location with 10 or 10,000 webhooks that do not match it, by tag, by community and by activity."},
	{title: "Growth", cases: regexp.MustCompile(`^growth/.*/(old events|webhooks with|locations|instances)`), text: "Processor time of Sitehooks and PostgreSQL for 10,000 deliveries, on an installation (*few*) and on one that is ten times as large (*many*), both in the same run and with the same load in requests of 100. " +
		"*Old events* have a delivery, an attempt and a trigger each. *Webhooks* get the events in turn, and each event matches one of them. *Locations* have one webhook each, and get the events in turn. " +
		"*Instances* are one and four with the role `all` on one PostgreSQL; requests go to each in turn."},
	{title: "Throughput with old events", cases: regexp.MustCompile(`^growth/.*/single requests`), text: "64 clients send one event a request to an empty database, and then to one with 2,000,000 old events. *Against empty* is the second rate against the first in the same run."},
	{title: "Many webhooks", cases: regexp.MustCompile(`^webhooks/`), text: "Each event matches one webhook of the given number. *One hot* gets half of all events, the other half is spread over a thousand."},
	{title: "Several instances", cases: regexp.MustCompile(`^instances/`), text: "100 webhooks, requests of 100, all on the same machine: *against one* is how much more is delivered than by one instance with the role `all` in the same run. *Repeats* are deliveries that arrived twice."},
	{title: "The list of webhooks", cases: regexp.MustCompile(`^pages/`), text: "50 of 10,000 webhooks with health and charts, by 16 connections at once."},
	{title: "Much history", cases: regexp.MustCompile(`^history/`), text: "5,000,000 events, deliveries and attempts of 25 days, 2,000 webhooks and 300 locations. Each page is asked for up to 50 times, one request after the other. " +
		"A row is a list with each of its filters, or the searches by an id, a question and a name: *pages* of them, with the figures of the slowest. *Limited* is what a member of three locations gets. " +
		"*API* follows `GET /api/v1/deliveries` with 200 deliveries a page: from the newest on, from the middle on, and to the end."},
	{title: "Removing old history", cases: regexp.MustCompile(`^retention/`), text: "Latency at 200 events a second with dispatch on arrival: while an instance removes a million rows older than the retention, and with nothing to remove."},
	{title: "Disk", cases: regexp.MustCompile(`^size/`), text: "Bytes of a row with its indexes, measured after the load that wrote it; payload and body are inside. [Sizing](sizing.md) uses them."},
}

func (r report) writePage(w io.Writer) {
	fmt.Fprint(w, "# Performance\n\nMeasured by `make bench`, written from `performance.json` by `make bench-docs`.\n\n")
	if r.Short {
		fmt.Fprint(w, "**These figures come from one short run of each case. They say that the measurement works, and little about speed.**\n\n")
	}
	fmt.Fprint(w, "![Delivered events and latency](performance.svg)\n\n"+
		"Instance, PostgreSQL, load generator, receiver and raw loop are processes of their own on one machine, and share its cores. "+
		"The *raw loop* is the same machine at its best: 64 connections sign and POST bodies of the same size to the same receiver, and nothing is stored; half of it runs before and half after the measurement. "+
		"Each figure is the median of three runs during which other processes took less than a tenth of the machine; other runs are discarded, and after ten the last column says how many there were. "+
		"An event is on the disk before it is accepted, on both databases. Trigger history is on.\n\n")
	r.writeMachine(w)
	for _, s := range sections {
		s.write(w, r.Cases)
	}
}

func (r report) writeMachine(w io.Writer) {
	m := r.Machine
	fmt.Fprint(w, "| machine | |\n|---|---|\n")
	for _, row := range [][2]string{
		{"processor", fmt.Sprintf("%d cores of %s", m.Cores, m.CPU)},
		{"memory", fmt.Sprintf("%d GiB", m.MemoryGiB)},
		{"system", "Linux " + m.Kernel + ", " + m.FileSystem},
		{"software", m.Go + ", PostgreSQL " + m.PostgreSQL + ", SQLite " + m.SQLite},
		{"PostgreSQL's settings", "`" + m.Settings + "`"},
		{"durability", m.Synchronous},
		{"measured", r.Measured},
	} {
		fmt.Fprintf(w, "| %s | %s |\n", row[0], row[1])
	}
}

func (s section) write(w io.Writer, all []outcome) {
	cases := slices.DeleteFunc(slices.Clone(all), func(o outcome) bool { return !s.cases.MatchString(o.Name) || len(o.Figures) == 0 })
	if len(cases) == 0 {
		return
	}
	text := s.text
	if s.more != nil {
		text += s.more(all)
	}
	fmt.Fprintf(w, "\n## %s\n\n%s\n", s.title, text)
	for _, t := range tables(cases) {
		fmt.Fprintf(w, "\n| | %s | medians of |\n|---|%s---|\n", strings.Join(t.columns, " | "), strings.Repeat("---:|", len(t.columns)))
		for _, row := range t.rows {
			cells := t.cells(row)
			cells[0] = row.label()
			fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		}
	}
}

// ofBareQueue compares Sitehooks with the bare queue, once both are measured.
func ofBareQueue(all []outcome) string {
	ours, bare := figuresOf(all, "main/postgres/stackauth/single requests"), figuresOf(all, "main/postgres/bare queue/single requests")
	if len(ours) == 0 || len(bare) == 0 {
		return ""
	}
	return fmt.Sprintf(" Sitehooks delivers %s of the bare queue's events a second, and takes %s times its processor time for each.",
		readable(ours["delivered/s"]/bare["delivered/s"]), readable(ours["CPU s/10k"]/bare["CPU s/10k"]))
}

func figuresOf(all []outcome, name string) figures {
	i := slices.IndexFunc(all, func(o outcome) bool { return o.Name == name })
	if i < 0 {
		return nil
	}
	return all[i].Figures
}

// label is a case's name without its group, in words.
func (o outcome) label() string {
	_, name, _ := strings.Cut(o.Name, "/")
	name = strings.NewReplacer("postgres", "PostgreSQL", "sqlite", "SQLite").Replace(name)
	return strings.Join(strings.Split(name, "/"), ", ")
}
