package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api/management"
	"github.com/sitehooks/sitehooks/handlers/api/openapi"
	"github.com/sitehooks/sitehooks/handlers/receivers"
	"github.com/sitehooks/sitehooks/handlers/reference"
	"github.com/sitehooks/sitehooks/handlers/sources"
	"github.com/sitehooks/sitehooks/handlers/web"
)

// Routes is the whole list of URLs; those of the SuperOffice API under its path
// are in api/superoffice/routes.go, and those of the management API in
// api/management/route.go.
func (a *Areas) Routes() (*gin.Engine, error) {
	s := a.Site
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false
	r.HTMLRender = s.HTMLRender()
	if err := r.SetTrustedProxies(nil); err != nil { // s.addressed reads the proxies' headers
		return nil, err
	}
	guard, err := s.GuardOrigin()
	if err != nil {
		return nil, err
	}
	r.Use(s.Recovered, s.Addressed, s.Secured, s.OwnHost, s.Readable, guard)
	r.NoRoute(s.Timed, s.MemberOnly, s.On(func(*gin.Context) error { return web.NotFound("There is no page at this address.") }))
	r.NoMethod(s.Timed, s.MemberOnly, s.On(func(*gin.Context) error {
		return &web.StatusError{Status: http.StatusMethodNotAllowed, Text: "This address does not accept this method."}
	}))

	// Open without a login.
	health := gin.WrapH(Health(a.deps.Ready, a.deps.Metrics, s.Log))
	get(r, "/healthz", health)
	get(r, "/readyz", health)
	get(r, "/metrics", health)
	if a.deps.Static != nil {
		get(r, "/static/*file", gin.WrapH(a.deps.Static))
	}
	get(r, "/login", s.On(a.Account.LoginForm))
	r.POST("/login", s.On(a.Account.Login))
	get(r, "/login/oidc", s.On(a.Account.Oidc))
	get(r, "/login/forgot", s.On(a.Account.Forgot))
	r.POST("/login/forgot", s.On(a.Account.ForgotPost))
	get(r, "/login/link/:token", s.On(a.Account.Link))
	r.POST("/login/link/:token", s.On(a.Account.LinkPost))
	r.POST("/logout", s.On(a.Account.Logout))

	// The APIs: bearer tokens only, answered by packages of their own.
	if a.deps.Ingest != nil {
		r.POST("/api/v1/events", a.deps.Ingest)
	}
	if a.deps.Cursors != nil {
		r.GET("/api/v1/sources/:name/cursor", a.deps.Cursors.Get)
		r.PUT("/api/v1/sources/:name/cursor", a.deps.Cursors.Put)
	}
	if a.deps.Inbound != nil {
		r.POST("/in/:name", a.deps.Inbound.Post)
		r.POST("/in/:name/:token", a.deps.Inbound.Post)
	}
	get(r, openapi.Path, openapi.Handler(a.deps.Version))
	if a.deps.Access != nil {
		for _, route := range management.Table() {
			r.Handle(route.Method, management.Prefix+route.Path, a.Management.Handler(route))
			if route.Method == http.MethodGet {
				r.HEAD(management.Prefix+route.Path, a.Management.Handler(route))
			}
		}
	}
	if a.deps.SuperOffice != nil {
		r.Any("/superoffice/api/*path", a.deps.SuperOffice)
	}

	// Every member. Changes here are the member's own.
	shared := s.InPlace(s.Pages, web.MemberFlow)
	member := r.Group("/", s.Timed, s.MemberOnly, shared, s.Querying)
	get(member, "/", s.On(s.Home))
	member.POST("/theme", s.On(s.Theme))
	member.POST("/attention", s.On(s.DismissNotice))
	get(member, "/account", s.On(a.Account.Account))
	member.POST("/account", s.On(a.Account.AccountPost))
	get(member, "/account/password", s.On(a.Account.PasswordForm))
	member.POST("/account/password", s.On(a.Account.PasswordChange))
	member.POST("/account/sessions", s.On(a.Account.SessionsEnd))
	get(member, "/admin", s.On(a.Overview.Show))
	get(member, "/admin/search", s.On(a.Overview.Search))
	get(member, "/admin/webhooks", s.On(a.Webhooks.List))
	get(member, "/admin/webhooks/:id", s.On(a.Webhooks.Show))
	get(member, "/admin/deliveries", s.On(a.Deliveries.List))
	get(member, "/admin/deliveries/export", s.On(a.Deliveries.Export))
	get(member, "/admin/deliveries/:id", s.On(a.Deliveries.Show))
	get(member, "/admin/trigger-history", s.On(a.Triggers.List))
	get(member, "/admin/trigger-history/:event", s.On(a.Triggers.Show))
	get(member, sources.GuidesPath+"/:kind", s.On(a.Sources.Guide))
	get(member, "/admin/sources", s.On(a.Sources.List))
	get(member, "/admin/sources/:name", s.On(a.Sources.Show))
	get(member, "/admin/sources/:name/requests", s.On(s.RedirectToParent))
	get(member, "/admin/sources/:name/requests/:id", s.On(a.Sources.Request))
	get(member, "/admin/suggestions/:of", s.On(s.Suggestions))
	get(member, "/admin/locations", s.On(a.Admin.Locations))
	get(member, "/admin/locations/:id", s.On(a.Admin.Location))
	get(member, "/admin/tokens", s.On(a.Admin.Tokens))
	get(member, "/admin/audit", s.On(a.Admin.Audit))
	get(member, reference.Path, s.On(a.Reference.Show))
	get(member, receivers.Path, s.On(a.Receivers.List))
	get(member, receivers.Path+"/:type", s.On(a.Receivers.Show))
	get(member, "/developer/site-settings", s.On(a.Admin.SiteSettings))
	get(member, "/developer/site-settings/edit", s.On(a.Admin.SiteSetting))

	// Members who see all locations.
	whole := member.Group("/", s.Unlimited)
	get(whole, "/admin/members", s.On(a.Admin.Members))
	get(whole, "/admin/system", s.On(a.Admin.System))

	// Exports have places of their own.
	export := r.Group("/", s.MemberOnly, a.Deliveries.OneExport)
	get(export, "/admin/deliveries.csv", s.On(a.Deliveries.CSV))
	get(export, "/admin/deliveries.json", s.On(a.Deliveries.JSON))

	// Administrators: all that changes something, and the pages leading there.
	admins := r.Group("/", s.Timed, s.MemberOnly, s.AdminOnly, shared, s.Querying)
	get(admins, "/admin/webhooks/new", s.On(a.Webhooks.New))
	admins.POST("/admin/webhooks/new", s.On(a.Webhooks.NewPost))
	get(admins, "/admin/webhooks/location", s.On(a.Webhooks.LocationDetails))
	get(admins, "/admin/webhooks/bulk", s.On(a.Webhooks.Bulk))
	admins.POST("/admin/webhooks/bulk", s.Long, s.On(a.Webhooks.BulkPost))
	get(admins, "/admin/webhooks/:id/edit", s.On(a.Webhooks.Edit))
	admins.POST("/admin/webhooks/:id/edit", s.Long, s.On(a.Webhooks.EditPost))
	get(admins, "/admin/webhooks/:id/duplicate", s.On(a.Webhooks.Duplicate))
	get(admins, "/admin/webhooks/:id/delete", s.On(a.Webhooks.Delete))
	admins.POST("/admin/webhooks/:id/delete", s.Long, s.On(a.Webhooks.DeletePost))
	get(admins, "/admin/webhooks/:id/rotate", s.On(a.Webhooks.Rotate))
	admins.POST("/admin/webhooks/:id/rotate", s.Long, s.On(a.Webhooks.RotatePost))
	get(admins, "/admin/webhooks/:id/reveal", s.On(a.Webhooks.Reveal))
	admins.POST("/admin/webhooks/:id/reveal", s.On(a.Webhooks.RevealPost))
	get(admins, "/admin/webhooks/:id/pause", s.On(s.RedirectToParent))
	admins.POST("/admin/webhooks/:id/pause", s.On(a.Webhooks.Pause))
	get(admins, "/admin/webhooks/:id/resume", s.On(s.RedirectToParent))
	admins.POST("/admin/webhooks/:id/resume", s.Long, s.On(a.Webhooks.Resume))
	get(admins, "/admin/webhooks/:id/test", s.On(s.RedirectToParent))
	admins.POST("/admin/webhooks/:id/test", s.On(a.Webhooks.Test))
	get(admins, "/admin/webhooks/:id/claim", s.On(s.RedirectToParent))
	admins.POST("/admin/webhooks/:id/claim", s.On(a.Webhooks.Claim))
	get(admins, "/admin/deliveries/:id/resend", s.On(s.RedirectToParent))
	admins.POST("/admin/deliveries/:id/resend", s.On(a.Deliveries.Resend))
	get(admins, "/admin/deliveries/resend", s.On(a.Deliveries.ResendMany))
	admins.POST("/admin/deliveries/resend", s.Long, s.On(a.Deliveries.ResendManyPost))
	get(admins, "/admin/deliveries/resent", s.On(a.Deliveries.Resent))
	get(admins, "/admin/trigger-history/send", s.On(a.Triggers.SendMany))
	admins.POST("/admin/trigger-history/send", s.Long, s.On(a.Triggers.SendManyPost))
	get(admins, "/admin/trigger-history/sends/:id", s.On(a.Triggers.SendProgress))
	get(admins, "/admin/trigger-history/:event/send", s.On(s.RedirectToParent))
	admins.POST("/admin/trigger-history/:event/send", s.On(a.Triggers.SendPost))
	get(admins, "/admin/trigger-history/:event/erase", s.On(a.Triggers.Erase))
	admins.POST("/admin/trigger-history/:event/erase", s.Long, s.On(a.Triggers.ErasePost))
	get(admins, "/admin/sources/new", s.On(a.Sources.New))
	admins.POST("/admin/sources/new", s.On(a.Sources.NewPost))
	get(admins, "/admin/sources/:name/edit", s.On(a.Sources.Edit))
	admins.POST("/admin/sources/:name/edit", s.On(a.Sources.EditPost))
	get(admins, "/admin/sources/:name/delete", s.On(a.Sources.Delete))
	admins.POST("/admin/sources/:name/delete", s.On(a.Sources.DeletePost))
	get(admins, "/admin/sources/:name/reveal", s.On(a.Sources.Reveal))
	admins.POST("/admin/sources/:name/reveal", s.On(a.Sources.RevealPost))
	get(admins, "/admin/sources/:name/requests/:id/again", s.On(s.RedirectToParent))
	admins.POST("/admin/sources/:name/requests/:id/again", s.On(a.Sources.ReadAgain))
	admins.POST("/admin/tokens", s.On(a.Admin.TokenNew))
	get(admins, "/admin/tokens/:id/revoke", s.On(a.Admin.TokenRevoke))
	admins.POST("/admin/tokens/:id/revoke", s.On(a.Admin.TokenRevokePost))

	// Administrators of all locations.
	owners := admins.Group("/", s.Unlimited)
	owners.POST("/admin/locations", s.On(a.Admin.LocationNew))
	owners.POST("/admin/locations/:id", s.On(a.Admin.LocationDescribe))
	get(owners, "/admin/locations/:id/hide", s.On(s.RedirectToParent))
	owners.POST("/admin/locations/:id/hide", s.On(a.Admin.LocationHide))
	owners.POST("/admin/system/dispatch", s.On(a.Admin.DispatchAgainPost))
	get(owners, "/admin/empty-locations", s.On(a.Admin.LocationsEmpty))
	owners.POST("/admin/empty-locations", s.Long, s.On(a.Admin.LocationsEmptyPost))
	get(owners, "/admin/locations/:id/remove", s.On(a.Admin.LocationRemove))
	owners.POST("/admin/locations/:id/remove", s.On(a.Admin.LocationRemovePost))
	owners.POST("/admin/members", s.On(a.Admin.MemberAdd))
	get(owners, "/admin/members/:id", s.On(a.Admin.Member))
	get(owners, "/admin/members/:id/locations", s.On(s.RedirectToParent))
	owners.POST("/admin/members/:id/locations", s.On(a.Admin.MemberLocations))
	get(owners, "/admin/members/:id/role", s.On(a.Admin.MemberRoleForm))
	owners.POST("/admin/members/:id/role", s.On(a.Admin.MemberRole))
	get(owners, "/admin/members/:id/password", s.On(s.RedirectToParent))
	owners.POST("/admin/members/:id/password", s.On(a.Admin.MemberPassword))
	get(owners, "/admin/members/:id/disable", s.On(a.Admin.MemberDisable))
	owners.POST("/admin/members/:id/disable", s.On(a.Admin.MemberDisablePost))
	get(owners, "/admin/members/:id/enable", s.On(s.RedirectToParent))
	owners.POST("/admin/members/:id/enable", s.On(a.Admin.MemberEnable))
	get(owners, "/admin/members/:id/remove", s.On(a.Admin.MemberRemove))
	owners.POST("/admin/members/:id/remove", s.On(a.Admin.MemberRemovePost))
	owners.POST("/developer/site-settings/edit", s.Long, s.On(a.Admin.SiteSettingPost))
	return r, nil
}

// get registers a page; HEAD is answered as GET without its body.
func get(r gin.IRoutes, path string, h gin.HandlerFunc) {
	r.GET(path, h)
	r.HEAD(path, h)
}
