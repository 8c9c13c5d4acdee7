package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// routes is the whole list of URLs.
func (s *Site) routes() (*gin.Engine, error) {
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
	health := gin.WrapH(Health(s.Ready, s.Metrics, s.Log))
	get(r, "/healthz", health)
	get(r, "/readyz", health)
	get(r, "/metrics", health)
	if s.Static != nil {
		get(r, "/static/*file", gin.WrapH(s.Static))
	}
	get(r, "/login", s.on(s.loginForm))
	r.POST("/login", s.on(s.login))
	get(r, "/login/oidc", s.on(s.oidc))
	r.POST("/logout", s.on(s.logout))

	// The APIs: bearer tokens only, answered by packages of their own.
	if s.Ingest != nil {
		r.POST("/api/v1/events", gin.WrapH(s.Ingest))
	}
	if s.SuperOffice != nil {
		r.Any("/superoffice/api/*path", gin.WrapH(s.SuperOffice))
	}

	// Every member. Changes here are the member's own.
	shared := s.inPlace(s.pages, memberFlow)
	member := r.Group("/", s.timed, s.memberOnly, shared)
	get(member, "/", s.on(s.home))
	member.POST("/theme", s.on(s.theme))
	member.POST("/attention", s.on(s.attentionAside))
	get(member, "/account/password", s.on(s.passwordForm))
	member.POST("/account/password", s.on(s.passwordChange))
	member.POST("/account/sessions", s.on(s.sessionsEnd))
	get(member, "/admin/webhooks", s.on(s.webhooks))
	get(member, "/admin/webhooks/:id", s.on(s.webhook))
	get(member, "/admin/deliveries", s.on(s.deliveries))
	get(member, "/admin/deliveries/:id", s.on(s.delivery))
	get(member, "/admin/trigger-history", s.on(s.triggerHistory))
	get(member, "/admin/trigger-history/:event", s.on(s.triggerEvent))
	get(member, "/admin/suggestions/:of", s.on(s.suggestions))
	get(member, "/admin/locations", s.on(s.locations))
	get(member, "/admin/locations/:id", s.on(s.location))
	get(member, "/admin/members", s.on(s.members))
	get(member, "/admin/tokens", s.on(s.tokens))
	get(member, "/admin/audit", s.on(s.audit))
	get(member, "/admin/system", s.on(s.system))
	get(member, "/developer/site-settings", s.on(s.siteSettings))
	get(member, "/developer/site-settings/edit", s.on(s.siteSetting))

	// Exports have places of their own.
	export := r.Group("/", s.memberOnly, s.oneExport)
	get(export, "/admin/deliveries.csv", s.on(s.deliveriesCSV))
	get(export, "/admin/deliveries.json", s.on(s.deliveriesJSON))

	// Administrators: all that changes something, and the pages leading there.
	admin := r.Group("/", s.timed, s.memberOnly, s.adminOnly, shared)
	get(admin, "/admin/webhooks/new", s.on(s.webhookNew))
	admin.POST("/admin/webhooks/new", s.on(s.webhookNewPost))
	get(admin, "/admin/webhooks/known", s.on(s.webhookKnown))
	get(admin, "/admin/webhooks/bulk", s.on(s.webhooksBulk))
	admin.POST("/admin/webhooks/bulk", s.on(s.webhooksBulkPost))
	get(admin, "/admin/webhooks/:id/edit", s.on(s.webhookEdit))
	admin.POST("/admin/webhooks/:id/edit", s.on(s.webhookEditPost))
	get(admin, "/admin/webhooks/:id/duplicate", s.on(s.webhookDuplicate))
	get(admin, "/admin/webhooks/:id/delete", s.on(s.webhookDelete))
	admin.POST("/admin/webhooks/:id/delete", s.on(s.webhookDeletePost))
	get(admin, "/admin/webhooks/:id/reveal", s.on(s.webhookReveal))
	admin.POST("/admin/webhooks/:id/reveal", s.on(s.webhookRevealPost))
	get(admin, "/admin/webhooks/:id/pause", s.on(s.up))
	admin.POST("/admin/webhooks/:id/pause", s.on(s.webhookPause))
	get(admin, "/admin/webhooks/:id/resume", s.on(s.up))
	admin.POST("/admin/webhooks/:id/resume", s.on(s.webhookResume))
	get(admin, "/admin/webhooks/:id/test", s.on(s.up))
	admin.POST("/admin/webhooks/:id/test", s.on(s.webhookTest))
	get(admin, "/admin/webhooks/:id/claim", s.on(s.up))
	admin.POST("/admin/webhooks/:id/claim", s.on(s.webhookClaim))
	get(admin, "/admin/deliveries/:id/resend", s.on(s.up))
	admin.POST("/admin/deliveries/:id/resend", s.on(s.deliveryResend))
	get(admin, "/admin/deliveries/resend", s.on(s.deliveriesResend))
	admin.POST("/admin/deliveries/resend", s.on(s.deliveriesResendPost))
	get(admin, "/admin/deliveries/resent", s.on(s.deliveriesResent))
	get(admin, "/admin/trigger-history/:event/erase", s.on(s.triggerErase))
	admin.POST("/admin/trigger-history/:event/erase", s.on(s.triggerErasePost))
	admin.POST("/admin/locations", s.on(s.locationNew))
	admin.POST("/admin/locations/:id", s.on(s.locationDescribe))
	get(admin, emptyPath, s.on(s.locationsEmpty))
	admin.POST(emptyPath, s.on(s.locationsEmptyPost))
	get(admin, "/admin/locations/:id/remove", s.on(s.locationRemove))
	admin.POST("/admin/locations/:id/remove", s.on(s.locationRemovePost))
	admin.POST("/admin/members", s.on(s.memberAdd))
	get(admin, "/admin/members/:id", s.on(s.member))
	get(admin, "/admin/members/:id/role", s.on(s.memberRoleForm))
	admin.POST("/admin/members/:id/role", s.on(s.memberRole))
	get(admin, "/admin/members/:id/password", s.on(s.up))
	admin.POST("/admin/members/:id/password", s.on(s.memberPassword))
	get(admin, "/admin/members/:id/disable", s.on(s.memberDisable))
	admin.POST("/admin/members/:id/disable", s.on(s.memberDisablePost))
	get(admin, "/admin/members/:id/enable", s.on(s.up))
	admin.POST("/admin/members/:id/enable", s.on(s.memberEnable))
	get(admin, "/admin/members/:id/remove", s.on(s.memberRemove))
	admin.POST("/admin/members/:id/remove", s.on(s.memberRemovePost))
	admin.POST("/admin/tokens", s.on(s.tokenNew))
	get(admin, "/admin/tokens/:id/revoke", s.on(s.tokenRevoke))
	admin.POST("/admin/tokens/:id/revoke", s.on(s.tokenRevokePost))
	admin.POST("/developer/site-settings/edit", s.on(s.siteSettingPost))
	return r, nil
}

// get registers a page; HEAD is answered as GET without its body.
func get(r gin.IRoutes, path string, h gin.HandlerFunc) {
	r.GET(path, h)
	r.HEAD(path, h)
}
