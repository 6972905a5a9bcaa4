// Package event keeps subscriptions: who wants to be told of what, and what they were told.
//
// A [Notifier] takes SUBSCRIBE for the packages that it has, keeps each [Subscription] and sends its NOTIFYs; what there is to tell comes from the [Source] of the
// [Package]. A [Subscriber] is the other side: it keeps a [Watch] alive and hands on what it hears. A [Referral] is the subscription that a REFER makes by
// itself (RFC 3515). A [Compositor] takes PUBLISH and keeps what was published.
//
// The decisions are pure functions: notifier.go, subscriber.go and publication.go. The shells around them hold timers and messages: subscription.go, watch.go and
// compositor.go. What a subscription or a publication is stands in a struct of plain data ([State], [Publication]). Each lives in one stripe of the engine and never blocks.
//
// The room knows no package: documents are bytes with a type. It does not authenticate; whoever stands in front says who sends.
//
// RFC 6665 (SUBSCRIBE and NOTIFY); RFC 3903 (PUBLISH, as it comes); RFC 3515 (the subscription of a REFER); RFC 4488 (REFER without one).
package event
