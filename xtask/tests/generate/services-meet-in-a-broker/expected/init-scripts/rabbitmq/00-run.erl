%% Does what the other files list, in order; what is so already stays as it is.
Node = 'rabbit@localhost'.
Fail = fun(What, Why) -> io:format(standard_error, "~ts: ~tp~n", [What, Why]), halt(1) end.
Ask = fun(Module, Function, Arguments) -> rpc:call(Node, Module, Function, Arguments, 30000) end.

%% The node calls its host `localhost`, which means the server here.
{ok, Address} = inet:getaddr("rabbitmq", inet).
inet_db:add_host(Address, ["localhost"]).
inet_db:set_lookup([file]).

%% Until the broker has started and created its administrator.
Answers = fun() -> net_kernel:connect_node(Node) =:= true andalso Ask(rabbit, is_booted, []) =:= true end.
Wait = fun Again(Tries) ->
    case Answers() of
        true -> ok;
        false when Tries > 0 -> timer:sleep(200), Again(Tries - 1);
        false -> Fail("the broker", "does not answer")
    end
end.
Wait(600).

Text = fun unicode:characters_to_binary/1.
Me = <<"rabbitmq-setup">>.
Do = fun(What, Function, Arguments) ->
    case Ask(rabbit_auth_backend_internal, Function, Arguments ++ [Me]) of
        ok -> ok;
        Why -> Fail(What, Why)
    end
end.
Logs_in = fun(User, Password) ->
    Ask(rabbit_auth_backend_internal, user_login_authentication, [User, [{password, Password}]])
end.

Make = fun
    ({vhost, Name}) ->
        Exists = Ask(rabbit_vhost, exists, [Text(Name)]),
        Exists =:= true orelse case Ask(rabbit_vhost, add, [Text(Name), Me]) of
            ok -> ok;
            Why -> Fail("the virtual host " ++ Name, Why)
        end;
    ({user, Name, Variable, Tag}) ->
        {User, Password, What} = {Text(Name), Text(os:getenv(Variable)), "the user " ++ Name},
        case {Logs_in(User, Password), Ask(rabbit_auth_backend_internal, lookup_user, [User])} of
            {{ok, _}, _} -> ok;
            {_, {ok, _}} -> Do(What, change_password, [User, Password]);
            {_, _} -> Do(What, add_user, [User, Password])
        end,
        %% Which of the console's pages it may see; what a person has given it stays.
        case Logs_in(User, Password) of
            {ok, {auth_user, _, [], _}} -> Do(What, set_tags, [User, [Tag]]);
            {ok, _} -> ok;
            Why -> Fail(What, Why)
        end;
    ({permissions, Name, Vhost}) ->
        {User, Where, All} = {Text(Name), Text(Vhost), <<".*">>},
        Has = Ask(rabbit_auth_backend_internal, list_user_permissions, [User]),
        Values = fun(One) -> [proplists:get_value(Key, One) || Key <- [vhost, configure, write, read]] end,
        Had = is_list(Has) andalso lists:member([Where, All, All, All], lists:map(Values, Has)),
        Had orelse Do("the permissions of " ++ Name, set_permissions, [User, Where, All, All, All])
end.
Read = fun(File) ->
    case file:consult(File) of
        {ok, Terms} -> Terms;
        {error, Why} -> Fail(File, file:format_error(Why))
    end
end.
lists:foreach(Make, lists:append([Read(File) || File <- tl(init:get_plain_arguments())])).
