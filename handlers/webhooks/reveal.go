package webhooks

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// revealURL asks for the URL where others ask for a secret's number.
const revealURL = "url"

// revealable is a sealed part of a webhook that can be shown.
type revealable struct {
	Value  string // in the form: 1, 2 or revealURL
	Sealed string // in models
	Label  string
}

// Identity authenticates a member again.
type Identity interface {
	// Reauthenticate checks the member's password or, when none was sent, that
	// they have just come back from single sign-on, as confirmed says. Fault is a
	// sentence for the member; empty: the check succeeded.
	Reauthenticate(c *gin.Context, password string, confirmed bool) (status int, fault string, err error)
	// ReauthenticationPath is the path of single sign-on that leads on to next;
	// empty: there is none.
	ReauthenticationPath(next string) string
}

type revealPage struct {
	web.Page
	Webhook   models.Webhook
	Parts     []revealable // that are saved
	Chosen    revealable
	Password  bool       // the member has one
	Confirmed bool       // the member comes back from single sign-on
	SignOn    string     // path of single sign-on; empty: there is none
	Fault     string     // of a single sign-on; empty: there is none
	Faults    web.Faults // of the password
	Plain     string     // in the answer to the request that revealed it
}

// Choices are the parts to choose from.
func (p *revealPage) Choices() []web.Choice {
	choices := make([]web.Choice, len(p.Parts))
	for i, one := range p.Parts {
		choices[i] = web.Choice{Value: one.Value, Label: one.Label, Chosen: one == p.Chosen}
	}
	return choices
}

// inSentence is the label as it stands inside a sentence.
func (r revealable) inSentence() string {
	if r.Sealed == models.PartURL {
		return "the " + r.Label
	}
	return strings.ToLower(r.Label[:1]) + r.Label[1:]
}

// revealables are the sealed parts that a webhook has.
func revealables(f *wire.Format, w models.Webhook) []revealable {
	var list []revealable
	parts := [2]string{models.PartSecret1, models.PartSecret2}
	for i, s := range f.Secrets {
		if hasSecret(w, i) {
			list = append(list, revealable{strconv.Itoa(i + 1), parts[i], s.Label})
		}
	}
	if f.SecretURL {
		list = append(list, revealable{revealURL, models.PartURL, "URL"})
	}
	return list
}

func revealPath(id int64, value string) string {
	return WebhookPath(id) + "/reveal?secret=" + value
}

// Reveal asks for the member's password before a saved secret is shown.
func (s *Pages) Reveal(c *gin.Context) error {
	p, err := s.revealPage(c, c.Query("secret"))
	if err != nil {
		return err
	}
	p.Confirmed = c.Query("confirmed") != ""
	return s.Render(c, http.StatusOK, "webhook_reveal", p)
}

// revealPage is the page for the part that the request names, or for the first
// one when it names none.
func (s *Pages) revealPage(c *gin.Context, value string) (*revealPage, error) {
	w, f, err := s.savedWebhook(c)
	if err != nil {
		return nil, err
	}
	user, _ := web.UserOf(c)
	p := &revealPage{
		Page:    web.Page{Nav: "webhooks"},
		Webhook: w, Parts: revealables(f, w), Password: user.PasswordHash != "",
	}
	i := slices.IndexFunc(p.Parts, func(r revealable) bool { return r.Value == value || value == "" })
	if i < 0 {
		return nil, web.NotFound("This webhook has no such secret, or none is saved.")
	}
	p.Chosen = p.Parts[i]
	p.Title, p.Path = "Reveal "+p.Chosen.inSentence(), revealPath(w.ID, p.Chosen.Value)
	p.SignOn = s.Identity.ReauthenticationPath(p.Path + "&confirmed=1")
	return p, nil
}

// RevealPost shows one saved secret to an administrator after a new
// authentication. The password is checked, and wrong ones are counted, as at
// login.
func (s *Pages) RevealPost(c *gin.Context) error {
	var form struct {
		Secret    string `form:"secret"`
		Password  string `form:"password"`
		Confirmed string `form:"confirmed"` // not empty: they come back from single sign-on
	}
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	p, err := s.revealPage(c, form.Secret)
	if err != nil {
		return err
	}
	status, fault, err := s.Identity.Reauthenticate(c, form.Password, form.Confirmed != "")
	if err != nil {
		return err
	}
	if fault != "" {
		if p.Password && form.Confirmed == "" {
			p.Faults = web.Faults{"password": fault}
		} else {
			p.Fault = fault
		}
		return s.Render(c, status, "webhook_reveal", p)
	}
	p.Plain, err = s.Store.Webhooks.Reveal(c.Request.Context(), web.ActorOf(c), p.Webhook.ID, p.Chosen.Sealed, p.Chosen.Label)
	if err != nil {
		return err
	}
	return s.Render(c, http.StatusOK, "webhook_reveal", p)
}
