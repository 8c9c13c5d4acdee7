package sources

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// revealAddress asks for the address where others ask for a secret's number.
const revealAddress = "address"

// revealable is a sealed part of a source that can be shown.
type revealable struct {
	Value  string // in the form: 1, 2 or revealAddress
	Sealed string // in models
	Label  string
}

type revealPage struct {
	web.Page
	Source    models.Source
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

func revealPath(name, value string) string { return Path(name) + "/reveal?secret=" + value }

// revealables are the sealed parts that a source has.
func revealables(src models.Source) []revealable {
	var list []revealable
	for i, secretPart := range []string{models.PartSecret1, models.PartSecret2} {
		if hasSecret(src, i) {
			n := strconv.Itoa(i + 1)
			list = append(list, revealable{n, secretPart, "Signing secret " + n})
		}
	}
	if src.Address != "" {
		list = append(list, revealable{revealAddress, models.PartURL, "Address"})
	}
	return list
}

// Reveal asks for the member's password before a saved secret is shown.
func (s *Pages) Reveal(c *gin.Context) error {
	p, err := s.revealPage(c, c.Query("secret"))
	if err != nil {
		return err
	}
	p.Confirmed = c.Query("confirmed") != ""
	return s.Render(c, http.StatusOK, "source_reveal", p)
}

// revealPage is the page for the part that the request names, or for the first
// one when it names none.
func (s *Pages) revealPage(c *gin.Context, value string) (*revealPage, error) {
	row, err := s.row(c)
	if err != nil {
		return nil, err
	}
	user, _ := web.UserOf(c)
	p := &revealPage{Page: web.Page{Nav: nav}, Source: row.Source, Parts: revealables(row.Source), Password: user.PasswordHash != ""}
	i := slices.IndexFunc(p.Parts, func(r revealable) bool { return r.Value == value || value == "" })
	if i < 0 {
		return nil, web.NotFound("This source has no such secret, or none is saved.")
	}
	p.Chosen = p.Parts[i]
	p.Title, p.Path = "Reveal the "+map[bool]string{true: "address", false: "signing secret " + p.Chosen.Value}[p.Chosen.Value == revealAddress], revealPath(row.Name, p.Chosen.Value)
	p.SignOn = s.Identity.ReauthenticationPath(p.Path + "&confirmed=1")
	return p, nil
}

// RevealPost shows one saved secret, or the address, to an administrator after a
// new authentication. The password is checked, and wrong ones are counted, as at
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
		return s.Render(c, status, "source_reveal", p)
	}
	p.Plain, err = s.Store.Sources.Reveal(c.Request.Context(), web.ActorOf(c), p.Source.Name, p.Chosen.Sealed, p.Chosen.Label)
	if err != nil {
		return err
	}
	if p.Chosen.Value == revealAddress {
		p.Plain = s.fullAddress(p.Source.Name, p.Plain)
	}
	return s.Render(c, http.StatusOK, "source_reveal", p)
}

// fullAddress is where a sender posts to, with the token.
func (s *Pages) fullAddress(name, token string) string {
	return s.BaseURL.String() + "/in/" + name + "/" + token
}
