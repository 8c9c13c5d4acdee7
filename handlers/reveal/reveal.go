// Package reveal has the page that shows a saved secret of a webhook or a source
// once more: to an administrator who has confirmed who they are, and with a line
// in the audit log. Webhooks and sources say which secrets they have, and open
// them.
package reveal

import (
	"context"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// Pages are the pages that reveal.
type Pages struct {
	*web.Site
	Identity Identity
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

// Owner is a webhook or a source that has secrets.
type Owner struct {
	Kind  string // webhook or source
	Name  string
	Path  string   // of its page
	Parts []Secret // that are saved
	// Open decrypts a part, and records that it was shown.
	Open func(ctx context.Context, by models.Actor, p Secret) (string, error)
}

// Secret is a sealed part of an Owner: a secret, or an address that is one.
type Secret struct {
	Value  string // in the form and in the address
	Sealed string // its name in models
	Label  string // for people
	Object string // the label inside a sentence
}

// Path is the page that asks before the part of this value is shown. path is its
// owner's page.
func Path(path, value string) string { return path + "/reveal?secret=" + value }

type page struct {
	web.Page
	Owner     Owner
	Chosen    Secret
	Password  bool       // the member has one
	Confirmed bool       // the member comes back from single sign-on
	SignOn    string     // path of single sign-on; empty: there is none
	Fault     string     // of a single sign-on; empty: there is none
	Faults    web.Faults // of the password
	Plain     string     // in the answer to the request that revealed it
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any { return map[string]any{"reveal": &page{}} }

// List is the path of the page with all owners of this kind.
func (p *page) List() string { return "/admin/" + p.Nav }

// ListLabel is the title of that page.
func (p *page) ListLabel() string { return web.Capitalized(p.Nav) }

// Choices are the parts to choose from.
func (p *page) Choices() []web.Choice {
	choices := make([]web.Choice, len(p.Owner.Parts))
	for i, one := range p.Owner.Parts {
		choices[i] = web.Choice{Value: one.Value, Label: one.Label, Chosen: one == p.Chosen}
	}
	return choices
}

// Get asks for the member's password before a saved secret is shown.
func (s *Pages) Get(c *gin.Context, o Owner) error {
	p, err := s.page(c, o, c.Query("secret"))
	if err != nil {
		return err
	}
	p.Confirmed = c.Query("confirmed") != ""
	return s.Render(c, http.StatusOK, "reveal", p)
}

// page is the page for the part of this value, or for the first one when it is
// empty.
func (s *Pages) page(c *gin.Context, o Owner, value string) (*page, error) {
	i := slices.IndexFunc(o.Parts, func(p Secret) bool { return p.Value == value || value == "" })
	if i < 0 {
		return nil, web.NotFound("This " + o.Kind + " has no such secret, or none is saved.")
	}
	user, _ := web.UserOf(c)
	p := &page{
		Page:  web.Page{Title: "Reveal " + o.Parts[i].Object, Nav: o.Kind + "s", Path: Path(o.Path, o.Parts[i].Value)},
		Owner: o, Chosen: o.Parts[i], Password: user.PasswordHash != "",
	}
	p.SignOn = s.Identity.ReauthenticationPath(p.Path + "&confirmed=1")
	return p, nil
}

// Post shows a saved secret to an administrator after a new authentication. The
// password is checked, and wrong ones are counted, as at login.
func (s *Pages) Post(c *gin.Context, o Owner) error {
	var form struct {
		Secret    string `form:"secret"`
		Password  string `form:"password"`
		Confirmed string `form:"confirmed"` // not empty: they come back from single sign-on
	}
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	p, err := s.page(c, o, form.Secret)
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
		return s.Render(c, status, "reveal", p)
	}
	if p.Plain, err = o.Open(c.Request.Context(), web.ActorOf(c), p.Chosen); err != nil {
		return err
	}
	return s.Render(c, http.StatusOK, "reveal", p)
}
