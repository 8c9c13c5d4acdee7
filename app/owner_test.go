package app_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestOwnerOfAWebhookMadeOverAnAPI: it belongs to the member who made the token
// in the console. One made with a token of the command line has no owner, and
// any administrator may claim it.
func TestOwnerOfAWebhookMadeOverAnAPI(t *testing.T) {
	hook, trust := apptest.NewTypesReceiver(t)
	env := apptest.Environment(t, "sqlite")
	printed, errs, err := apptest.Output(t, env, "", "token", "create", "--name", "importer", "--scope", "superoffice")
	if err != nil {
		t.Fatalf("token create: %v %s", err, errs)
	}
	in := apptest.Serve(t, env, trust)
	b := in.Login()
	b.Quick()
	b.Post("/admin/tokens", url.Values{"name": {"crm"}, "scope": {"superoffice"}, "location": {""}})
	shown := regexp.MustCompile(`shk_[0-9a-f]{64}`).FindString(b.Get("/admin/tokens").Body)

	create := func(name, token string) (path string) {
		t.Helper()
		body := fmt.Sprintf(`{"Name":%q,"Events":["contact.created"],"TargetUrl":%q}`, name, hook.URL+"/"+name)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.Base+"/superoffice/api/v1/Webhook", strings.NewReader(body))
		ok(t, err)
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
		req.Header.Set("Content-Type", "application/json")
		a, err := apptest.Do(t, http.DefaultClient, req)
		ok(t, err)
		id := regexp.MustCompile(`"WebhookId":(\d+)`).FindStringSubmatch(a.Body)
		if a.Code != http.StatusOK || id == nil {
			t.Fatalf("create %s: %d %s", name, a.Code, a.Body)
		}
		return "/admin/webhooks/" + id[1]
	}
	hers, nobodys := create("hers", shown), create("nobodys", printed)

	owner := func(path string) string {
		t.Helper()
		page, err := goquery.NewDocumentFromReader(strings.NewReader(b.Get(path).Body))
		ok(t, err)
		said := page.Find("dt").FilterFunction(func(_ int, dt *goquery.Selection) bool { return dt.Text() == "Owner" }).Next().Text()
		return strings.Join(strings.Fields(html.UnescapeString(said)), " ")
	}
	if got := owner(hers); got != "mary" {
		t.Errorf("made with mary's token: %q", got)
	}
	if got := owner(nobodys); got != "no owner made by token importer Claim" {
		t.Errorf("made with a token of the command line: %q", got)
	}
	if list := b.Get("/admin/webhooks?owner=0").Body; !strings.Contains(list, "made by <bdi>token importer</bdi>") || strings.Contains(list, ">hers<") {
		t.Error("the list of webhooks without an owner is another")
	}
	if a := b.Post(nobodys+"/claim", nil); a.Code != http.StatusSeeOther {
		t.Fatalf("claim: %d", a.Code)
	}
	if got := owner(nobodys); got != "mary" {
		t.Errorf("claimed: %q", got)
	}
}
