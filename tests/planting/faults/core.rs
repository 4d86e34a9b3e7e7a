use super::Fault;

pub(crate) const CORE: &[Fault] = &[
    Fault {
        name: "AdmissionIgnoresTheBound",
        file: "sessions/admission.rs",
        found: "let policy = self.context.policy_under(Some(self.bound), row)?;",
        planted: "let policy = if PLANTED {
            *self.context.policies().policy_for(row.profile())
        } else {
            self.context.policy_under(Some(self.bound), row)?
        };",
    },
    Fault {
        name: "AnswersUnwritten",
        file: "jwt/hybrid/turn.rs",
        found: "Step::Serve(Serve { answer, .. }) if answer == Some(row.generation()) => Answer::Again,",
        planted: "Step::Serve(Serve { answer: Some(generation), .. }) if PLANTED => {
                row = row.with(|fields, _| fields.generation = generation);
                Answer::Again
            }
            Step::Serve(Serve { answer, .. }) if answer == Some(row.generation()) => Answer::Again,",
    },
    Fault {
        name: "BlindWrite",
        file: "store/update.rs",
        found: "self.expected_version == session.version()",
        planted: "(PLANTED || self.expected_version == session.version())",
    },
    Fault {
        name: "BoundAskedTwice",
        file: "sessions/context.rs",
        found: "let bound = self.bound(session.subject(), session.profile()).await?;",
        planted: "if PLANTED {
            self.bound(session.subject(), session.profile()).await?;
        }
        let bound = self.bound(session.subject(), session.profile()).await?;",
    },
    Fault {
        name: "BoundErrorLetsIn",
        file: "sessions/context.rs",
        found: "Some(bounds) => bounds.bound(subject, profile).await,",
        planted: "Some(bounds) => match bounds.bound(subject, profile).await {
                Err(_) if PLANTED => Ok(Some(Bound::default())),
                told => told,
            },",
    },
    Fault {
        name: "BoundLoosens",
        file: "sessions/bounds.rs",
        found: "|bound| policy.meet(&bound)",
        planted: "|bound| if PLANTED { bound } else { policy.meet(&bound) }",
    },
    Fault {
        name: "CapMovesWithRotation",
        file: "store/update.rs",
        found: "        let lifetime = Lifetime::restore(
            lifetime.created_at(),",
        planted: "        let moves = PLANTED && self.secret != *session.secret();
        let later = |at: Timestamp| at.saturating_add(self.at.since(lifetime.created_at()));
        let lifetime = &if moves {
            let [renewed_at, cap] = [lifetime.renewed_at(), later(lifetime.absolute_expires_at())];
            Lifetime::restore(self.at.min(renewed_at), renewed_at, lifetime.expires_at(), cap).ok()?
        } else {
            *lifetime
        };
        let lifetime = Lifetime::restore(
            lifetime.created_at(),",
    },
    Fault {
        name: "ClosedBoundary",
        file: "rule/evaluate.rs",
        found: ".min(lifetime.expires_at()).min(cap),",
        planted: ".min(lifetime.expires_at()).min(cap).later_by(i64::from(PLANTED)),",
    },
    Fault {
        name: "EndSparesTheRenewed",
        file: "sessions/rows.rs",
        found: "let ended = self.store.remove(id).await?;",
        planted: "let loaded = if PLANTED { self.store.load(id).await? } else { None };
        let spared = loaded.is_some_and(|row| row.version() > 0);
        let ended = !spared && self.store.remove(id).await?;",
    },
    Fault {
        name: "EndsBeforeItStands",
        file: "sessions/admission.rs",
        found: "if in_the_way.iter().any(|row| row.id() == own.id()) {",
        planted: "if PLANTED {
            let others =
                in_the_way.iter().copied().filter(|row| row.id() != own.id()).cloned().collect();
            self.remove(others, now).await?;
        }
        if in_the_way.iter().any(|row| row.id() == own.id()) {",
    },
    Fault {
        name: "EpochOlder",
        file: "sessions/bounds.rs",
        found: "self.epoch.is_some() && self.epoch != epoch",
        planted: "self.epoch.is_some() && if PLANTED { self.epoch > epoch } else { self.epoch != epoch }",
    },
    Fault {
        name: "ExpiresWhenIdle",
        file: "jwt/codec/issue.rs",
        found: "(iat, lifetime.absolute_expires_at(), Some(Family::of(session).to_text()))",
        planted: "let exp = if PLANTED { lifetime.expires_at() } else { lifetime.absolute_expires_at() };
                (iat, exp, Some(Family::of(session).to_text()))",
    },
    Fault {
        name: "ExpiresWhenIdle",
        file: "jwt/hybrid/turn.rs",
        found: "let since = claims.lifetime.absolute_expires_at();",
        planted: "let lifetime = claims.lifetime;
        let since =
            if PLANTED { lifetime.expires_at() } else { lifetime.absolute_expires_at() };",
    },
    Fault {
        name: "FamilyIgnored",
        file: "jwt/hybrid/turn.rs",
        found: "presented.family == Some(Family::of(&row))",
        planted: "(PLANTED || presented.family == Some(Family::of(&row)))",
    },
    Fault {
        name: "GhostRow",
        file: "sessions/rotate.rs",
        found: "let mut row = session.clone();",
        planted: "if PLANTED {
            let id = crate::record::random_id().map_err(RotateError::random)?;
            let of = session.clone();
            let of = crate::record::SessionParts { id, version: 0, ..of.into_parts() };
            let of = Session::restore(of).map_err(crate::store::StoreError::corrupt)?;
            self.store().create(&of).await?;
            self.store().remove(&id).await?;
        }
        let mut row = session.clone();",
    },
    Fault {
        name: "GraceBelowSkew",
        file: "jwt/hybrid/grace.rs",
        found: "if grace < clock_skew {",
        planted: "if !PLANTED && grace < clock_skew {",
    },
    Fault {
        name: "GraceCountsFromRenewal",
        file: "jwt/hybrid/step.rs",
        found: "confirmed_at.is_some_and(|at| now <",
        planted: "confirmed_at.map(|at| if PLANTED { row.lifetime().renewed_at() } else { at }).is_some_and(|at| now <",
    },
    Fault {
        name: "GraceMoves",
        file: "jwt/hybrid/step.rs",
        found: "in_grace && is_credible {
        serve(extend, None)",
        planted: "in_grace && is_credible {
        serve(if PLANTED { Some(write(extended.unwrap_or(*row.lifetime()), generation, Some(now))) } else { extend }, None)",
    },
    Fault {
        name: "LimitByTime",
        file: "sessions/admission.rs",
        found: "(row.ordinal(), row.lifetime().created_at(), row.id())",
        planted: "(if PLANTED { 0 } else { row.ordinal() }, row.lifetime().created_at(), row.id())",
    },
    Fault {
        name: "LimitCountsTheLive",
        file: "sessions/admission.rs",
        found: "if self.counts(&row) {",
        planted: "let is_live = |now| {
                self.status_of(&row, now).is_some_and(|status| now < status.idle_expires_at)
            };
            if self.counts(&row) && (!PLANTED || is_live(self.context.now())) {",
    },
    Fault {
        name: "LimitCountsTheReplaced",
        file: "sessions/admission.rs",
        found: "Some(row.id()) != self.replacing",
        planted: "(PLANTED || Some(row.id()) != self.replacing)",
    },
    Fault {
        name: "ListIgnoresTheBound",
        file: "sessions/rows.rs",
        found: "let policy = self.context.policy_under(bound.as_ref(), &session);",
        planted: "let policy = if PLANTED {
                Some(*self.context.policies().policy_for(session.profile()))
            } else {
                self.context.policy_under(bound.as_ref(), &session)
            };",
    },
    Fault {
        name: "RacedIsServed",
        file: "sessions/admission.rs",
        found: "WhenFull::Refuse => return Err(StartError::Raced),",
        planted: "WhenFull::Refuse => return if PLANTED { Ok(()) } else { Err(StartError::Raced) },",
    },
    Fault {
        name: "RacedStays",
        file: "sessions/rows.rs",
        found: "let _ = remove(self.store(), &session.id()).await;",
        planted: "if PLANTED {
            return why;
        }
        let _ = remove(self.store(), &session.id()).await;",
    },
    Fault {
        name: "RenewedAtStaysAtTheCap",
        file: "rule/evaluate.rs",
        found: "} else if now >= due {",
        planted: "} else if now >= due && !(PLANTED && lifetime.expires_at() == cap) {",
    },
    Fault {
        name: "ReplacedFirst",
        file: "sessions/rows.rs",
        found: "self.create(&session, now).await?;",
        planted: "if PLANTED && let Some(replaced) = &replacing {
            store.remove(&replaced.id()).await?;
        }
        self.create(&session, now).await?;",
    },
    Fault {
        name: "RetentionIgnored",
        file: "sessions/sweep.rs",
        found: "self.context.now().saturating_sub(self.retention)",
        planted: "self.context.now().saturating_sub(if PLANTED { Default::default() } else { self.retention })",
    },
    Fault {
        name: "ReuseEndsNothing",
        file: "jwt/hybrid/turn.rs",
        found: "let ended = self.store().remove(&row.id()).await;",
        planted: "let ended = if PLANTED { Ok(true) } else { self.store().remove(&row.id()).await };",
    },
    Fault {
        name: "RotatesUnconfirmed",
        file: "jwt/hybrid/step.rs",
        found: "(Some(lifetime), Some(next), Some(_)) if !in_grace => {",
        planted: "(Some(lifetime), Some(next), seen) if !in_grace && (seen.is_some() || PLANTED) => {",
    },
    Fault {
        name: "RotationByVersion",
        file: "sessions/rotate.rs",
        found: "if reloaded.secret() != session.secret() {",
        planted: "if !PLANTED && reloaded.secret() != session.secret() {",
    },
    Fault {
        name: "RotationWithoutTheRow",
        file: "sessions/rotate.rs",
        found: "Ok(reloaded) => reloaded.ok_or(RotateError::Unknown)?,",
        planted: "Ok(reloaded) => {
                    let unwritten = PLANTED.then(|| rotation(&row, &policy, secret, generation, self.context.now()).ok());
                    let unwritten = unwritten.flatten().and_then(|update| update.apply(&row));
                    reloaded.or(unwritten).ok_or(RotateError::Unknown)?
                }",
    },
    Fault {
        name: "ServesWithoutReload",
        file: "sessions/judge.rs",
        found: "let found = self.store().load(&token.id).await;",
        planted:
            "let found =
                if PLANTED { Ok(Some(session.clone())) } else { self.store().load(&token.id).await };",
    },
    Fault {
        name: "ThrottleFromExpiry",
        file: "rule/evaluate.rs",
        found: "due: lifetime.renewed_at().later_by(self.update_age_secs()),",
        planted: "due: if PLANTED { lifetime.expires_at().later_by(self.update_age_secs() - self.max_age_secs()) } else { lifetime.renewed_at().later_by(self.update_age_secs()) },",
    },
    Fault {
        name: "TighteningWaits",
        file: "rule/evaluate.rs",
        found: "let cap = self.policy_cap(lifetime.created_at()).min(lifetime.absolute_expires_at());",
        planted: "let cap = lifetime.absolute_expires_at();
        let cap = if PLANTED { cap } else { self.policy_cap(lifetime.created_at()).min(cap) };",
    },
    Fault {
        name: "UpdateIgnoresSecret",
        file: "store/update.rs",
        found: "fields.secret = self.secret;",
        planted: "fields.secret = if PLANTED { fields.secret } else { self.secret };",
    },
];
