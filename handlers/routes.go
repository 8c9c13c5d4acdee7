package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Routes is the whole list of URLs.
func (a *Areas) Routes() (*gin.Engine, error) {
	s := a.Site
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false
	if err := r.SetTrustedProxies(nil); err != nil { // s.addressed reads what proxies say
		return nil, err
	}
	guard, err := s.guardOrigin()
	if err != nil {
		return nil, err
	}
	r.Use(s.recovered, s.addressed, s.secured, s.ownHost, s.readable, guard)
	r.NoRoute(s.timed, s.memberOnly, s.on(func(*gin.Context) error { return notFound("There is no page at this address.") }))
	r.NoMethod(s.timed, s.memberOnly, s.on(func(*gin.Context) error {
		return &statusError{http.StatusMethodNotAllowed, "This address does not take that kind of request."}
	}))

	// Open to everybody.
	health := gin.WrapH(Health(a.deps.Ready, a.deps.Metrics, s.Log))
	get(r, "/healthz", health)
	get(r, "/readyz", health)
	get(r, "/metrics", health)
	if a.deps.Static != nil {
		get(r, "/static/*file", gin.WrapH(a.deps.Static))
	}
	get(r, "/login", s.on(a.Account.loginForm))
	r.POST("/login", s.on(a.Account.login))
	get(r, "/login/oidc", s.on(a.Account.oidc))
	r.POST("/logout", s.on(a.Account.logout))

	// The APIs: bearer tokens only, answered by packages of their own.
	if a.deps.Ingest != nil {
		r.POST("/api/v1/events", gin.WrapH(a.deps.Ingest))
	}
	if a.deps.SuperOffice != nil {
		r.Any("/superoffice/api/*path", gin.WrapH(a.deps.SuperOffice))
	}

	// Every member. Changes here are the member's own.
	shared := s.inPlace(s.pages, memberFlow)
	member := r.Group("/", s.timed, s.memberOnly, shared, s.querying)
	get(member, "/", s.on(s.home))
	member.POST("/theme", s.on(s.theme))
	member.POST("/attention", s.on(s.attentionAside))
	get(member, "/account/password", s.on(a.Account.passwordForm))
	member.POST("/account/password", s.on(a.Account.passwordChange))
	member.POST("/account/sessions", s.on(a.Account.sessionsEnd))
	get(member, "/admin/webhooks", s.on(a.Webhooks.webhooks))
	get(member, "/admin/webhooks/:id", s.on(a.Webhooks.webhook))
	get(member, "/admin/deliveries", s.on(a.Deliveries.deliveries))
	get(member, "/admin/deliveries/:id", s.on(a.Deliveries.delivery))
	get(member, "/admin/trigger-history", s.on(a.Triggers.triggerHistory))
	get(member, "/admin/trigger-history/:event", s.on(a.Triggers.triggerEvent))
	get(member, "/admin/suggestions/:of", s.on(s.suggestions))
	get(member, "/admin/locations", s.on(a.Admin.locations))
	get(member, "/admin/locations/:id", s.on(a.Admin.location))
	get(member, "/admin/members", s.on(a.Admin.members))
	get(member, "/admin/tokens", s.on(a.Admin.tokens))
	get(member, "/admin/audit", s.on(a.Admin.audit))
	get(member, "/admin/system", s.on(a.Admin.system))
	get(member, "/developer/site-settings", s.on(a.Admin.siteSettings))
	get(member, "/developer/site-settings/edit", s.on(a.Admin.siteSetting))

	// Exports have places of their own.
	export := r.Group("/", s.memberOnly, a.Deliveries.oneExport)
	get(export, "/admin/deliveries.csv", s.on(a.Deliveries.deliveriesCSV))
	get(export, "/admin/deliveries.json", s.on(a.Deliveries.deliveriesJSON))

	// Administrators: all that changes something, and the pages leading there.
	admin := r.Group("/", s.timed, s.memberOnly, s.adminOnly, shared, s.querying)
	get(admin, "/admin/webhooks/new", s.on(a.Webhooks.webhookNew))
	admin.POST("/admin/webhooks/new", s.on(a.Webhooks.webhookNewPost))
	get(admin, "/admin/webhooks/known", s.on(a.Webhooks.webhookKnown))
	get(admin, "/admin/webhooks/bulk", s.on(a.Webhooks.webhooksBulk))
	admin.POST("/admin/webhooks/bulk", s.long, s.on(a.Webhooks.webhooksBulkPost))
	get(admin, "/admin/webhooks/:id/edit", s.on(a.Webhooks.webhookEdit))
	admin.POST("/admin/webhooks/:id/edit", s.long, s.on(a.Webhooks.webhookEditPost))
	get(admin, "/admin/webhooks/:id/duplicate", s.on(a.Webhooks.webhookDuplicate))
	get(admin, "/admin/webhooks/:id/delete", s.on(a.Webhooks.webhookDelete))
	admin.POST("/admin/webhooks/:id/delete", s.long, s.on(a.Webhooks.webhookDeletePost))
	get(admin, "/admin/webhooks/:id/reveal", s.on(a.Webhooks.webhookReveal))
	admin.POST("/admin/webhooks/:id/reveal", s.on(a.Webhooks.webhookRevealPost))
	get(admin, "/admin/webhooks/:id/pause", s.on(s.up))
	admin.POST("/admin/webhooks/:id/pause", s.on(a.Webhooks.webhookPause))
	get(admin, "/admin/webhooks/:id/resume", s.on(s.up))
	admin.POST("/admin/webhooks/:id/resume", s.long, s.on(a.Webhooks.webhookResume))
	get(admin, "/admin/webhooks/:id/test", s.on(s.up))
	admin.POST("/admin/webhooks/:id/test", s.on(a.Webhooks.webhookTest))
	get(admin, "/admin/webhooks/:id/claim", s.on(s.up))
	admin.POST("/admin/webhooks/:id/claim", s.on(a.Webhooks.webhookClaim))
	get(admin, "/admin/deliveries/:id/resend", s.on(s.up))
	admin.POST("/admin/deliveries/:id/resend", s.on(a.Deliveries.deliveryResend))
	get(admin, "/admin/deliveries/resend", s.on(a.Deliveries.deliveriesResend))
	admin.POST("/admin/deliveries/resend", s.long, s.on(a.Deliveries.deliveriesResendPost))
	get(admin, "/admin/deliveries/resent", s.on(a.Deliveries.deliveriesResent))
	get(admin, "/admin/trigger-history/:event/erase", s.on(a.Triggers.triggerErase))
	admin.POST("/admin/trigger-history/:event/erase", s.long, s.on(a.Triggers.triggerErasePost))
	admin.POST("/admin/locations", s.on(a.Admin.locationNew))
	admin.POST("/admin/locations/:id", s.on(a.Admin.locationDescribe))
	get(admin, emptyPath, s.on(a.Admin.locationsEmpty))
	admin.POST(emptyPath, s.long, s.on(a.Admin.locationsEmptyPost))
	get(admin, "/admin/locations/:id/remove", s.on(a.Admin.locationRemove))
	admin.POST("/admin/locations/:id/remove", s.on(a.Admin.locationRemovePost))
	admin.POST("/admin/members", s.on(a.Admin.memberAdd))
	get(admin, "/admin/members/:id", s.on(a.Admin.member))
	get(admin, "/admin/members/:id/role", s.on(a.Admin.memberRoleForm))
	admin.POST("/admin/members/:id/role", s.on(a.Admin.memberRole))
	get(admin, "/admin/members/:id/password", s.on(s.up))
	admin.POST("/admin/members/:id/password", s.on(a.Admin.memberPassword))
	get(admin, "/admin/members/:id/disable", s.on(a.Admin.memberDisable))
	admin.POST("/admin/members/:id/disable", s.on(a.Admin.memberDisablePost))
	get(admin, "/admin/members/:id/enable", s.on(s.up))
	admin.POST("/admin/members/:id/enable", s.on(a.Admin.memberEnable))
	get(admin, "/admin/members/:id/remove", s.on(a.Admin.memberRemove))
	admin.POST("/admin/members/:id/remove", s.on(a.Admin.memberRemovePost))
	admin.POST("/admin/tokens", s.on(a.Admin.tokenNew))
	get(admin, "/admin/tokens/:id/revoke", s.on(a.Admin.tokenRevoke))
	admin.POST("/admin/tokens/:id/revoke", s.on(a.Admin.tokenRevokePost))
	admin.POST("/developer/site-settings/edit", s.long, s.on(a.Admin.siteSettingPost))
	return r, nil
}

// get registers a page; HEAD is answered as GET without its body.
func get(r gin.IRoutes, path string, h gin.HandlerFunc) {
	r.GET(path, h)
	r.HEAD(path, h)
}
