package admin

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

const tokensPath = "/admin/tokens"

type tokensPage struct {
	web.Page
	tokenForm
	Rows []models.Token
	// Configured says that SITEHOOKS_INGEST_TOKEN is set, and UsedAt when it
	// was last used; nil: never.
	Configured bool
	UsedAt     *time.Time
	Makers     map[int64]models.User
	Names      web.LocationNames
	Scopes     []web.Choice
	Where      web.Picker
	Faults     web.Faults
	Errors     []web.ErrorLine
	Fresh      *freshToken // nil: none was just created
	base       string      // address of the console
}

type tokenForm struct {
	Name     web.Line `form:"name" binding:"required,name"`
	Scope    string   `form:"scope" binding:"oneof=ingest read manage superoffice"`
	Location string   `form:"location"` // as it was typed; empty: all
}

// scopeLabels are the scopes in the order of the form.
var scopeLabels = []struct{ scope, label string }{
	{models.ScopeIngest, "Report events (ingest)"},
	{models.ScopeRead, "See webhooks, deliveries and events (read)"},
	{models.ScopeManage, "Manage webhooks and settings (manage)"},
	{models.ScopeSuperOffice, "Manage SuperOffice webhooks (superoffice)"},
}

// freshToken is a new token, shown once.
type freshToken struct{ Name, Token, Scope, Location string }

// Curl is a command that uses the new token and can be run as it stands.
func (p *tokensPage) Curl() string {
	t := p.Fresh
	with := "-H 'Authorization: Bearer " + t.Token + "'"
	switch t.Scope {
	case models.ScopeIngest:
		return "curl -X POST '" + p.base + "/api/v1/events' " + with + " -H 'Content-Type: application/json' " +
			`-d '{"type":"question.created","location":"` + web.OrNone(t.Location, models.MainLocation) +
			`","question":{"question_id":1,"title":"A question to try the API","link":"https://example.com/questions/1"}}'`
	case models.ScopeSuperOffice:
		return "curl '" + p.base + "/superoffice/api/v1/Webhook' " + with + " -H 'Accept: application/json'"
	default:
		return "curl '" + p.base + "/api/v1/webhooks' " + with
	}
}

// Reports tells that the command reports an event.
func (p *tokensPage) Reports() bool { return p.Fresh.Scope == models.ScopeIngest }

// Place is where a token may be used, in words.
func (p *tokensPage) Place(slug string) string { return p.Names.Place(slug) }

// CreatorChange says why the creator of a token could not create it today; empty:
// they could, or it was not created in the console.
func (p *tokensPage) CreatorChange(tok models.Token) string {
	maker, known := p.Makers[tok.CreatedByID]
	switch {
	case tok.MakerRemoved:
		return "Removed"
	case !known:
		return ""
	case maker.DisabledAt != nil:
		return "Disabled"
	case maker.Role != models.RoleAdministrator:
		return "Now a viewer"
	}
	return ""
}

// Tokens lists the tokens of the APIs, without the tokens themselves, which are
// not stored.
func (s *Pages) Tokens(c *gin.Context) error {
	p := &tokensPage{tokenForm: tokenForm{Scope: models.ScopeIngest}}
	if _, err := s.Refill(c, &p.tokenForm); err != nil {
		return err
	}
	text, err := s.TakeOnce(c, web.OnceToken)
	if err != nil {
		return err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &p.Fresh); err != nil {
			return err
		}
	}
	return s.showTokens(c, http.StatusOK, p)
}

func (s *Pages) showTokens(c *gin.Context, status int, p *tokensPage) error {
	ctx := c.Request.Context()
	p.Page = web.Page{Title: "API tokens", Nav: "tokens"}
	p.base = strings.TrimSuffix(s.BaseURL.String(), "/")
	p.Errors = web.ErrorLines(p.Faults, "name", "Name", "scope", "Scope", "location", "Location")
	var err error
	if p.Rows, err = s.Store.Tokens.List(ctx, s.Within(c)); err != nil {
		return err
	}
	if p.Configured = s.IngestToken && s.Within(c).All(); p.Configured {
		if p.UsedAt, err = s.Store.Tokens.ConfiguredUsedAt(ctx); err != nil {
			return err
		}
	}
	members, err := s.Store.Users.Members(ctx)
	if err != nil {
		return err
	}
	p.Makers = make(map[int64]models.User, len(members))
	for _, m := range members {
		p.Makers[m.ID] = m.User
	}
	if p.Where, err = s.LocationPicker(c, "location", p.Location); err != nil {
		return err
	}
	p.Where.Any, p.Where.Fault = "All locations", p.Faults["location"]
	if !s.Within(c).All() {
		p.Where.Any = "Choose a location"
	}
	slugs := make([]string, len(p.Rows))
	for i, tok := range p.Rows {
		slugs[i] = tok.Location
	}
	if p.Names, err = s.LocationNames(c, slugs...); err != nil {
		return err
	}
	for _, one := range scopeLabels {
		if one.scope == models.ScopeManage && !s.Within(c).All() {
			one.label = "Manage webhooks and sources (manage)" // settings concern all locations
		}
		p.Scopes = append(p.Scopes, web.Choice{Value: one.scope, Label: one.label, Chosen: p.Scope == one.scope})
	}
	return s.Render(c, status, "admin_tokens", p)
}

// TokenNew makes a token. The list shows it, once, so that a reload makes no
// other.
func (s *Pages) TokenNew(c *gin.Context) error {
	ctx, p := c.Request.Context(), &tokensPage{}
	var err error
	if p.Faults, err = web.Bind(c, &p.tokenForm); err != nil {
		return err
	}
	slug, fault, err := s.FilterLocation(c, p.Location)
	if err != nil {
		return err
	}
	if p.Location = slug; fault != "" {
		p.Faults.Add("location", fault)
	}
	if slug == "" && !s.Within(c).All() {
		p.Faults.Add("location", "Choose one of your locations: your account is limited to them.")
	}
	if len(p.Faults) > 0 {
		return s.showTokens(c, http.StatusUnprocessableEntity, p)
	}
	plain, err := s.Store.Tokens.Issue(ctx, web.ActorOf(c), models.Token{Name: string(p.Name), Scope: p.Scope, Location: p.Location})
	if err != nil {
		return err
	}
	text, err := json.Marshal(freshToken{string(p.Name), plain, p.Scope, p.Location})
	if err != nil {
		return err
	}
	if err := s.SetOnce(c, web.OnceToken, string(text)); err != nil {
		return err
	}
	return s.Redirect(c, tokensPath)
}

// TokenRevoke asks before a token is ended.
func (s *Pages) TokenRevoke(c *gin.Context) error {
	tok, err := s.tokenFromRequest(c)
	if err != nil {
		return err
	}
	return s.Confirm(c, &web.ConfirmPage{
		Page:  web.Page{Title: "Revoke " + tok.Name + "?", Nav: "tokens"},
		Crumb: "API tokens", CrumbPath: tokensPath, Action: tokensPath + "/" + web.FormatID(tok.ID) + "/revoke",
		Button: "Revoke this token", Danger: true, Back: tokensPath,
		Lines: []string{"Programs using it will be refused immediately. This cannot be undone."},
	})
}

func (s *Pages) tokenFromRequest(c *gin.Context) (models.Token, error) {
	id, ok := web.Positive(c.Param("id"))
	if !ok {
		return models.Token{}, models.ErrNotFound
	}
	tok, err := s.Store.Tokens.Get(c.Request.Context(), s.Within(c), id)
	if err == nil && tok.RevokedAt != nil {
		err = web.NotFound("This token has already been revoked.")
	}
	return tok, err
}

// TokenRevokePost revokes a token. One that has already been revoked is a 404.
func (s *Pages) TokenRevokePost(c *gin.Context) error {
	tok, err := s.tokenFromRequest(c)
	if err != nil {
		return err
	}
	if _, err = s.Store.Tokens.Revoke(c.Request.Context(), web.ActorOf(c), tok.ID); err != nil {
		return err
	}
	return s.Redirect(c, tokensPath, web.Flash{Kind: "success", Text: "Revoked " + tok.Name + "."})
}
