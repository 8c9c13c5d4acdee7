package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// referenceExample is an operation's request on the page about the APIs.
type referenceExample struct {
	name, token string
	code        map[string]string // by language
}

// TestExamplesOfTheReferenceRun runs every example of every operation as it
// stands, in each language, all of a language by one process. Each answer has a
// status of success that the description promises.
func TestExamplesOfTheReferenceRun(t *testing.T) {
	env := apptest.Environment(t, "sqlite")
	manage, errs, err := apptest.Output(t, env, "", "token", "create", "--name", "examples", "--scope", "manage")
	if err != nil {
		t.Fatalf("token create: %v %s", err, errs)
	}
	manage = strings.TrimSpace(manage)
	in := apptest.Serve(t, env)
	b := in.Login()
	b.Quick()
	b.CreateWebhook(apptest.WebhookForm(apptest.NewReceiver(t).URL))
	in.Accept(apptest.QuestionJSON("example", 1, ""))
	var found struct{ Data []struct{ ID string } }
	apptest.Eventually(t, "a delivery", func() bool {
		readAPI(t, in.Base+"/api/v1/deliveries?state=delivered", manage, &found)
		return len(found.Data) == 1
	})
	var events struct{ Data []struct{ Number int64 } }
	readAPI(t, in.Base+"/api/v1/events", manage, &events)
	examples := referenceExamples(t, b, map[string]string{"manage": manage, "read": manage, "ingest": apptest.IngestToken})
	variables := append(os.Environ(), "DELIVERY="+found.Data[0].ID, fmt.Sprint("EVENT=", events.Data[0].Number), "NO_PROXY=127.0.0.1", "GOWORK=off", "GOFLAGS=")
	promised := promisedStatuses(t, in)
	for language, command := range map[string][]string{
		"curl": {"bash", "run.sh"}, "go": {"go", "run", "."}, "javascript": {"node", "run.mjs"}, "python": {"python3", "run.py"},
	} {
		dir := t.TempDir()
		for _, x := range examples {
			command = append(command, x.name)
		}
		writeExamples(t, dir, language, examples)
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		var errs bytes.Buffer
		cmd.Dir, cmd.Stderr, cmd.Env = dir, &errs, slices.Concat(variables, []string{"CURL_HOME=" + dir})
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s%s", language, err, out, errs.String())
			continue
		}
		for _, x := range examples {
			_, answer, _ := strings.Cut(string(out), "\n== "+x.name+"\n")
			if status, _, _ := strings.Cut(answer, " "); !slices.Contains(promised[x.name], status) {
				t.Errorf("%s in %s: %.300q, want %v", x.name, language, answer, promised[x.name])
			}
		}
	}
}

// readAPI reads an address with a token.
func readAPI(t *testing.T, address, token string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	ok(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	a, err := apptest.Do(t, http.DefaultClient, req)
	ok(t, err)
	ok(t, json.Unmarshal([]byte(a.Body), into))
}

// promisedStatuses are those of a success, by operation.
func promisedStatuses(t *testing.T, in *apptest.Instance) map[string][]string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			Responses   map[string]any
		}
	}
	readAPI(t, in.Base+"/api/v1/openapi.json", "", &doc)
	promised := map[string][]string{}
	for _, item := range doc.Paths {
		for _, op := range item {
			for status := range op.Responses {
				if status < "300" {
					promised[op.OperationID] = append(promised[op.OperationID], status)
				}
			}
		}
	}
	return promised
}

// referenceExamples are those of the page, in an order in which each finds what it
// needs: things are created first and deleted last.
func referenceExamples(t *testing.T, b *apptest.Browser, tokens map[string]string) (examples []referenceExample) {
	t.Helper()
	page, err := goquery.NewDocumentFromReader(strings.NewReader(b.Get("/developer/api").Body))
	ok(t, err)
	for _, at := range page.Find("article:has(.ex)").EachIter() {
		x := referenceExample{name: at.AttrOr("id", ""), token: tokens[at.Find(".api-line .sub .mono").Text()], code: map[string]string{}}
		for _, language := range []string{"curl", "go", "javascript", "python"} {
			x.code[language] = at.Find("#" + x.name + "-" + language).Text()
		}
		examples = append(examples, x)
	}
	if len(examples) < 25 {
		t.Fatalf("only %d examples", len(examples))
	}
	place := func(x referenceExample) int {
		switch {
		case strings.HasPrefix(x.name, "create"), x.name == "putCursor":
			return 0
		case strings.HasPrefix(x.name, "delete"):
			return 2
		}
		return 1
	}
	slices.SortStableFunc(examples, func(a, b referenceExample) int { return place(a) - place(b) })
	return examples
}

// writeExamples writes the examples, and what runs those that its arguments name.
func writeExamples(t *testing.T, dir, language string, examples []referenceExample) {
	t.Helper()
	write := func(name, text string) {
		t.Helper()
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	ok(t, os.CopyFS(dir, os.DirFS("testdata/examples/"+language)))
	ending := map[string]string{"curl": ".sh", "go": ".go", "javascript": ".mjs", "python": ".py"}[language]
	var list strings.Builder
	for _, x := range examples {
		if x.token == "" || x.code[language] == "" {
			t.Fatalf("%s in %s: %q", x.name, language, x.code[language])
		}
		write(x.name+".token", x.token)
		write(x.name+ending, strings.Replace(x.code[language], "func main()", "func "+x.name+"()", 1))
		fmt.Fprintf(&list, "\t%q: %s,\n", x.name, x.name)
	}
	if language == "go" {
		ok(t, os.Rename(filepath.Join(dir, "run.go.txt"), filepath.Join(dir, "run.go"))) // a Go file there would belong to no module
		write("list.go", "package main\n\nvar examples = map[string]func(){\n"+list.String()+"}\n")
	}
}
