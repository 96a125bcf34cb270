// The link that the server printed holds the token behind the #, which no browser sends and no log sees.
const form = document.getElementById("sign-in");
const token = decodeURIComponent(location.hash.slice(1));
if (token) {
  history.replaceState(null, "", location.pathname);
  form.elements.token.value = token;
  form.submit();
}
